"""`standin dataset report`: what an output folder amounts to, in Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from standin_batch.cli.options import AsJson
from standin_batch.cli.place import Target
from standin_batch.errors import ExitCode, UsageError


def report(
    target: Target,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="FILE", help="File of the report, in place of report.md in the folder.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Write a report in Markdown: what was made, how long it took, how good it is, what failed and why.

    Plots lie beside it, in a folder of the report's name.

    [bold]Examples[/bold]

      standin dataset report outputs/quickstart
      standin dataset report manifest.yaml --to report.md
    """
    from dataclasses import asdict

    from standin_batch.cli.console import count, err, print_json
    from standin_batch.cli.place import output_of
    from standin_batch.output.report import write_report
    from standin_batch.run.failed_jobs import failed_jobs

    if to is not None and to.suffix != ".md":
        raise UsageError(f"{to} is no name of a Markdown file", "name one that ends in .md")
    layout = output_of(target)
    facts = write_report(layout, failed_jobs(layout), to)
    path = layout.report if to is None else to
    if as_json:
        print_json({"report": str(path), "summary": asdict(facts.summary)})
    else:
        clips, failed = count(facts.summary.clips, "clip"), count(facts.summary.failed, "failed job")
        err.print(f"{clips} and {failed} in {path}")
    return ExitCode.OK
