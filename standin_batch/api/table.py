"""The index as a table, made from the records where it is not up to date."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from standin_batch.api.planned import PlannedRun
from standin_batch.cli.place import place
from standin_batch.errors import UsageError
from standin_batch.files import DiskFullError
from standin_batch.output.index import write_index
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
        with _beside(layout) as elsewhere:
            write_index(elsewhere)
            return pq.read_table(elsewhere.parquet)


def is_stale(layout: OutputLayout) -> bool:
    """Whether the index is missing, or a record has come or gone since it was written."""
    if not layout.parquet.is_file():
        return True
    return layout.records.is_dir() and layout.parquet.stat().st_mtime < layout.records.stat().st_mtime


@contextmanager
def _beside(layout: OutputLayout) -> Iterator[OutputLayout]:
    """A folder that holds the same, by links, but for the index."""
    index = {path.name for path in (layout.index, layout.parquet, layout.metadata)}
    with TemporaryDirectory(prefix="standin-index-") as folder:
        for path in layout.folder.resolve().iterdir():
            if path.name not in index:
                (Path(folder) / path.name).symlink_to(path)
        yield OutputLayout(Path(folder))
