"""`standin dataset`: what can be made from the records of an output folder."""

from __future__ import annotations

import typer

from standin_batch.cli import (
    dataset_export,
    dataset_gallery,
    dataset_gc,
    dataset_index,
    dataset_report,
    dataset_score,
)

app = typer.Typer(help="Make from the records what can be made from them.", no_args_is_help=True)
app.command("index")(dataset_index.index)
app.command("score")(dataset_score.score)
app.command("gallery")(dataset_gallery.gallery)
app.command("export")(dataset_export.export)
app.command("report")(dataset_report.report)
app.command("gc")(dataset_gc.gc)
