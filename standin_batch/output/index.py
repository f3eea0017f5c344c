"""The index: one row for each finished video, made from the records alone, in three files.

`index.jsonl` has the records as they are, `index.parquet` the columns of `columns` with fixed types, `metadata.jsonl`
what `datasets.load_dataset("videofolder", data_dir=...)` reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from operator import methodcaller
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from standin_batch.files import replace_atomic
from standin_batch.output.columns import COLUMNS as COLUMNS
from standin_batch.output.columns import KINDS as KINDS
from standin_batch.output.columns import row_of
from standin_batch.output.counted import is_exact
from standin_batch.output.layout import OutputLayout
from standin_batch.output.metadata import Row, Telling, metadata_row
from standin_batch.output.store import has_video, read_records
from standin_batch.scores.duplicates import near_duplicates

if TYPE_CHECKING:
    import pyarrow as pa

_HASH = next(column for column in COLUMNS if column.name == "perceptual_hash")

ROW_GROUP = 10_000
"""Rows that are in memory at a time."""


def index_schema() -> pa.Schema:
    """The schema of `index.parquet`: the same for an empty index."""
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "numbers": pa.list_(pa.float64()),
        "texts": pa.list_(pa.string()),
        "time": pa.timestamp("ms", tz="UTC"),
        "json": pa.string(),
    }
    return pa.schema([pa.field(column.name, types[column.kind]) for column in COLUMNS])


def write_index(layout: OutputLayout) -> int:
    """Write the three files anew from the records whose videos exist; returns the number of rows."""
    import pyarrow.parquet as pq

    with ExitStack() as stack:
        index, metadata, parquet = (
            stack.enter_context(replace_atomic(path)) for path in (layout.index, layout.metadata, layout.parquet)
        )
        lines = stack.enter_context(index.open("w+", encoding="utf-8", errors="replace"))
        table = stack.enter_context(pq.ParquetWriter(parquet, index_schema()))
        folder = _gather(layout, lines)
        told = stack.enter_context(metadata.open("w", encoding="utf-8", errors="replace"))
        told.writelines(map(_line, folder.metadata(folder.leads())))
        for rows in folder.batches(lines):
            table.write_table(_table(rows))
            told.writelines(map(_line, folder.metadata(row for row in rows if row["job_id"] not in folder.leading)))
    return folder.rows


def is_stale(layout: OutputLayout) -> bool:
    """Whether one of the three files is missing, or a record has come, gone or changed since it was written."""
    try:
        oldest = min(path.stat().st_mtime for path in (layout.index, layout.metadata, layout.parquet))
    except FileNotFoundError:
        return True
    return layout.records.is_dir() and oldest < layout.records.stat().st_mtime


def read_index(layout: OutputLayout) -> pa.Table:
    """The rows of the index as the records have them now, in the order of job ids; nothing is written."""
    import pyarrow as pa

    with TemporaryFile("w+", encoding="utf-8", errors="replace") as lines:
        folder = _gather(layout, lines)
        return pa.concat_tables([index_schema().empty_table(), *map(_table, folder.batches(lines))])


@dataclass
class _Folder:
    """What only all records together tell."""

    rows: int = 0
    near: Mapping[str, str] = field(default_factory=dict)
    telling: Telling = field(default_factory=Telling)
    leading: dict[str, dict[str, Any]] = field(default_factory=dict)

    def row(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The row of a record."""
        return row_of({**record, "near_duplicate_of": self.near.get(record["job_id"])})

    def leads(self) -> Iterator[Row]:
        """Rows that the metadata begins with."""
        return map(self.row, self.leading.values())

    def batches(self, lines: IO[str]) -> Iterator[list[dict[str, Any]]]:
        """All rows, so many at a time."""
        lines.seek(0)
        records = map(json.loads, lines)
        while batch := list(map(self.row, islice(records, ROW_GROUP))):
            yield batch

    def metadata(self, rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
        """Those of `rows` that a data set is made of: no rejected clips."""
        without = self.telling.mistaken
        return (metadata_row(row, without) for row in rows if row["accepted"] is not False)


def _gather(layout: OutputLayout, lines: IO[str]) -> _Folder:
    """Write the records with videos to `lines`, and learn what only all of them together tell."""
    folder, hashes = _Folder(), list[tuple[bool, bool, str, str]]()
    for record in read_records(layout):
        if not has_video(layout, record):
            continue
        lines.write(_line(record))
        folder.rows += 1
        rejected = record.get("accepted") is False
        hashes.append((rejected, not is_exact(record), record["job_id"], str(_HASH.cell(record))))
        if not rejected and folder.telling.see(methodcaller("cell", record)):
            folder.leading[record["job_id"]] = record
    folder.near = near_duplicates((job_id, text) for _, _, job_id, text in sorted(hashes))
    return folder


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    schema = index_schema()
    columns = ([row[name] for row in rows] for name in schema.names)
    return pa.table([pa.array(cells, kind) for cells, kind in zip(columns, schema.types, strict=True)], schema=schema)


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"
