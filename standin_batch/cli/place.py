"""Which output folder a person means who names a manifest or the folder itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Target = Annotated[
    Path, typer.Argument(metavar="MANIFEST_OR_FOLDER", help="A manifest, or an output folder.", show_default=False)
]


def place(target: Path) -> tuple[Path, int | None]:
    """The output folder, and how many jobs a manifest asks for; None of a folder."""
    if target.is_dir():
        return target, None
    from standin_batch.manifest import load_manifest

    manifest = load_manifest(target)
    return manifest.output.folder, sum(spec.size for spec in manifest.jobs)
