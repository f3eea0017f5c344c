"""`standin status`: where a run stands, from records and journals alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.options import AsJson

if TYPE_CHECKING:
    from standin_batch.run.status import Status

SHOWN_FAILURES = 10


def status(
    target: Annotated[
        Path, typer.Argument(metavar="MANIFEST_OR_FOLDER", help="A manifest, or an output folder.", show_default=False)
    ],
    as_json: AsJson = False,
) -> int:
    """Show where a run stands, while it runs or after.

    [bold]Examples[/bold]

      standin status manifest.yaml
      standin status outputs/quickstart --json
    """
    from dataclasses import asdict

    from standin_batch.cli.console import print_json
    from standin_batch.run.status import read_status

    found = read_status(_folder(target))
    if as_json:
        print_json(asdict(found))
    else:
        _print(found)
    return 0


def _folder(target: Path) -> Path:
    if target.is_dir():
        return target
    from standin_batch.manifest import load_manifest

    return load_manifest(target).output.folder


def _print(found: Status) -> None:
    from rich.text import Text

    from standin_batch.cli.console import out

    out.print(Text(found.folder, style="bold"))
    for name, number in found.counts.items():
        out.print(f"  {name:<10} {number:>8,}")
    for job in found.running:
        out.print(Text.assemble(("● ", "bold cyan"), job.label))
    for job in found.failed[:SHOWN_FAILURES]:
        out.print(Text.assemble(("✗ ", "bold red"), f"{job.label}  ", (job.error, "red")))
    if (more := len(found.failed) - SHOWN_FAILURES) > 0:
        out.print(f"… and {more:,} more failed")
