"""`metadata.jsonl`: what `datasets.load_dataset("videofolder", ...)` reads beside the videos.

JSON has no types, so `datasets` makes them of the values in the first 10 MB of a file, and wants the same of the file
of each split. A column of numbers that begins with nulls would have none; one of texts that all look like dates would
be one of times. `Telling` finds the rows that must come first, and the columns that cannot be told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from standin_batch.output.columns import COLUMNS, Column

Row = Mapping[str, Any]
"""A row of the index by its columns."""

FIRST_ROWS = 500
"""Rows that surely are within the first 10 MB."""

RENAMED = {"file_name": "file_name", "prompt": "text"}
"""Columns that come first, and what `datasets` and trainers call them."""

_NUMBERS = ("integer", "number", "boolean")
_LISTS = ("texts", "numbers")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")

METADATA = tuple(column for column in COLUMNS if column.kind != "json" and column.name not in RENAMED)
"""Columns of the metadata besides those; what is JSON in the index is in the index only."""

_NAMED: Mapping[str, Column] = {
    RENAMED.get(column.name, column.name): column for column in COLUMNS if column.kind != "json"
}


def metadata_row(row: Row, without: Collection[str] = ()) -> dict[str, Any]:
    """A row as the metadata has it: absent texts are empty, lists are JSON, times are ISO 8601 in UTC.

    Args:
        row: of the index.
        without: columns to leave out.
    """
    first = {called: row[name] or "" for name, called in RENAMED.items() if called not in without}
    return {**first, **{column.name: _value(column, row) for column in METADATA if column.name not in without}}


def _value(column: Column, row: Row) -> object:
    value = row[column.name]
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if column.kind in _LISTS:
        return "" if value is None else json.dumps(value, ensure_ascii=False)
    return "" if value is None and column.kind == "text" else value


@dataclass
class Telling:
    """The columns whose types are told by the rows that went by.

    Attributes:
        rows: that went by.
        told: columns, by the names that the metadata has for them.
    """

    rows: int = 0
    told: set[str] = field(default_factory=set)
    _open: list[tuple[str, Column]] = field(default_factory=lambda: list(_NAMED.items()))

    def see(self, cell: Callable[[Column], object]) -> bool:
        """Take a row into account; returns whether it has to come before all others, so that its types are seen.

        Args:
            cell: gives what the row has in a column.
        """
        told = [called for called, column in self._open if _tells(column, cell(column))]
        self.told.update(told)
        if told:
            self._open = [(called, column) for called, column in self._open if called not in self.told]
        self.rows += 1
        return bool(told) and self.rows > FIRST_ROWS

    @property
    def mistaken(self) -> frozenset[str]:
        """Columns of texts that all look like dates, so that they would not come back as they are."""
        texts = {called for called, column in _NAMED.items() if column.kind == "text"}
        return frozenset(texts - self.told) if self.rows else frozenset()


def differing(files: Collection[Telling]) -> frozenset[str]:
    """Columns that would have another type in one of several files than in another."""
    return frozenset(called for called in _NAMED if len({called in telling.told for telling in files}) > 1)


def _tells(column: Column, value: object) -> bool:
    if column.kind == "text":
        return value is None or _DATE.match(str(value)) is None
    return column.kind not in (*_NUMBERS, "time") or value is not None
