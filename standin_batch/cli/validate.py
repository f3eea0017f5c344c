"""`standin validate`: every mistake of a manifest at once, and with `--faces` every photograph that is no use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.options import AsJson, Checkpoints, InputRoot, ManifestArgument, Overrides
from standin_batch.errors import ExitCode

if TYPE_CHECKING:
    from standin_batch.manifest import Manifest


def validate(
    manifest: ManifestArgument,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    input_root: InputRoot = None,
    faces: Annotated[
        bool,
        typer.Option("--faces", help="Look also at the photographs, and at the videos of face swaps, on the CPU."),
    ] = False,
    sheet: Annotated[
        Path | None,
        typer.Option(
            "--sheet",
            metavar="FILE",
            help="Where the contact sheet goes (PNG), in place of [cyan]preflight.png[/] in the output folder.",
            show_default=False,
        ),
    ] = None,
    checkpoints: Checkpoints = None,
    as_json: AsJson = False,
) -> int:
    """Check a manifest: every mistake at once, each with its place and what is allowed.

    With --faces also every identity: no face, several, too small, blurred, turned away, cut off, too dark or bright,
    two that are one person; and whether the videos of face swaps show faces. The manifest's `faces:` says from where
    on, and what of it is an error; all else are warnings. Leaves with 2 if anything is an error.

    [bold]Examples[/bold]

      standin validate manifest.yaml
      standin validate manifest.yaml --faces
      standin validate manifest.yaml --faces --sheet people.png --set faces.min_side=128
    """
    from standin_batch.cli.console import count, err, show_warnings, warn
    from standin_batch.errors import UsageError
    from standin_batch.expand import check_videos
    from standin_batch.manifest import load_manifest
    from standin_batch.run.plan_manifest import FileContents

    if sheet is not None and not faces:
        raise UsageError("--sheet draws what --faces looks at", "add --faces")
    loaded = load_manifest(manifest, overrides=overrides, input_root=input_root)
    show_warnings(loaded)
    for note in check_videos(loaded, FileContents(None)):
        warn(note)
    total = sum(spec.size for spec in loaded.jobs)
    if not as_json:
        err.print(f"[bold green]valid[/]: {loaded.name}, {count(total, 'video')} in {count(len(loaded.jobs), 'job')}")
    if faces:
        return _faces(loaded, checkpoints, sheet, as_json)
    if as_json:
        from standin_batch.cli.console import print_json

        print_json({"manifest": loaded.name, "videos": total, "jobs": len(loaded.jobs)})
    return ExitCode.OK


def _faces(manifest: Manifest, checkpoints: Path | None, sheet: Path | None, as_json: bool) -> ExitCode:
    from standin_batch.cli.preflight import preflight_json, saying, show_preflight
    from standin_batch.output.layout import OutputLayout
    from standin_batch.output.store import OutputError
    from standin_batch.run.contact_sheet import write_sheet
    from standin_batch.run.preflight_manifest import preflight_manifest

    found = preflight_manifest(manifest, checkpoints, saying(quiet=as_json))
    path = sheet or OutputLayout(manifest.output.folder).preflight
    try:
        sheets = write_sheet(path, manifest.name, found)
    except OSError as error:
        raise OutputError(
            f"the contact sheet {path} cannot be written: {error.strerror or error}", "name another with --sheet"
        ) from error
    if as_json:
        from standin_batch.cli.console import print_json

        print_json(preflight_json(manifest.name, found, sheets))
    else:
        show_preflight(found, sheets)
    return ExitCode.USAGE if found.has_errors else ExitCode.OK
