"""`standin dataset index`: the index anew, from the records alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from standin_batch.cli.options import AsJson
from standin_batch.cli.place import Target
from standin_batch.errors import ExitCode

if TYPE_CHECKING:
    from standin_batch.output.layout import OutputLayout


def index(target: Target, as_json: AsJson = False) -> int:
    """Write index.jsonl, index.parquet and metadata.jsonl anew, from the records alone.

    A run does that at its end; this is for folders whose records or videos were moved or removed since.

    [bold]Examples[/bold]

      standin dataset index outputs/quickstart
      standin dataset index manifest.yaml --json
    """
    from standin_batch.cli.console import count, err, print_json
    from standin_batch.cli.place import output_of
    from standin_batch.output.index import write_index

    layout = output_of(target)
    rows = write_index(layout)
    _warn_of_split_names(layout)
    if as_json:
        print_json({"folder": str(layout.folder), "rows": rows})
    else:
        err.print(f"{count(rows, 'row')} in index.jsonl, index.parquet and metadata.jsonl, in {layout.folder}")
    return ExitCode.OK


def _warn_of_split_names(layout: OutputLayout) -> None:
    """`load_dataset` would look for the rows of such videos in a split of their own, and find none."""
    import json

    from standin_batch.cli.console import warn
    from standin_batch.output.split_words import is_taken_for_split

    with layout.metadata.open(encoding="utf-8") as lines:
        names = (json.loads(line)["file_name"] for line in lines)
        taken = next(filter(is_taken_for_split, names), None)
    if taken is not None:
        warn(
            f"`datasets` takes {taken} for a split, by its name",
            'load the folder with load_dataset("videofolder", data_dir=..., data_files="metadata.jsonl"), '
            "or use `standin dataset export`, which gives other names",
        )
