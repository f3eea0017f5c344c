"""The index as a table, made from the records where it is not up to date."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from standin_batch.api.planned import PlannedRun
from standin_batch.cli.place import place
from standin_batch.errors import UsageError
from standin_batch.files import DiskFullError
from standin_batch.output.index import is_stale, read_index, write_index
from standin_batch.output.layout import OutputLayout
from standin_batch.run.lock import LockedError, held

if TYPE_CHECKING:
    import pyarrow as pa


def read_table(where: str | os.PathLike[str] | PlannedRun) -> pa.Table:
    """The index of a folder, of a manifest, or of what is planned; see `api.read_index`."""
    import pyarrow.parquet as pq

    layout = OutputLayout(where.folder if isinstance(where, PlannedRun) else place(Path(where))[0])
    if not layout.folder.is_dir():
        raise UsageError(f"there is no output folder {layout.folder}", "`run` makes it")
    if not is_stale(layout):
        return pq.read_table(layout.parquet)
    try:
        with held(layout.lock):
            write_index(layout)
        return pq.read_table(layout.parquet)
    except (LockedError, OSError, DiskFullError):
        # A run is at work there, which writes its own when it ends, or the folder cannot be written.
        return read_index(layout)
