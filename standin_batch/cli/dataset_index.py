"""`standin dataset index`: the index anew, from the records alone."""

from __future__ import annotations

from standin_batch.cli.options import AsJson
from standin_batch.cli.place import Target
from standin_batch.errors import ExitCode


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
    if as_json:
        print_json({"folder": str(layout.folder), "rows": rows})
    else:
        err.print(f"{count(rows, 'row')} in index.jsonl, index.parquet and metadata.jsonl, in {layout.folder}")
    return ExitCode.OK
