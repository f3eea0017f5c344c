"""Which output folder a person means who names a manifest or the folder itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.errors import UsageError

if TYPE_CHECKING:
    from standin_batch.output.layout import OutputLayout

Target = Annotated[
    Path, typer.Argument(metavar="MANIFEST_OR_FOLDER", help="A manifest, or an output folder.", show_default=False)
]


def place(target: Path) -> tuple[Path, int | None]:
    """The output folder, and how many jobs a manifest asks for; None of a folder.

    Raises:
        UsageError: if it is a folder, but none that a run has made, or it is not there.
        ManifestError: if it is a manifest with mistakes.
    """
    if target.is_dir():
        if not any((target / part).is_dir() for part in (".standin", "records")):
            raise UsageError(
                f"{target} is no output folder", "name a manifest, or a folder that `standin run` has made"
            )
        return target, None
    if not target.exists():
        raise UsageError(f"there is no {target}", "name a manifest, or an output folder, such as outputs/NAME")
    from standin_batch.manifest import load_manifest

    manifest = load_manifest(target)
    return manifest.output.folder, sum(spec.size for spec in manifest.jobs)


def output_of(target: Path) -> OutputLayout:
    """The output folder, which has to be there.

    Raises:
        UsageError: if it is not.
        ManifestError: if `target` is a manifest with mistakes.
    """
    from standin_batch.output.layout import OutputLayout

    folder, _ = place(target)
    if not folder.is_dir():
        raise UsageError(f"there is no output folder {folder}", "`standin run` makes it")
    return OutputLayout(folder)
