"""Which rows of the index are meant: a condition in SQL, as after `WHERE`, over the index's columns.

SQLite of the standard library works on a copy in memory and may only read it. Lists and objects are JSON there, times
are ISO 8601 texts, booleans are 0 and 1.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from standin_batch.errors import UsageError
from standin_batch.output.columns import COLUMNS, Column

if TYPE_CHECKING:
    import pyarrow as pa

_TYPES = {"integer": "INTEGER", "number": "REAL", "boolean": "INTEGER"}
"""All other kinds are texts."""

MOST_SECONDS = 60.0
"""One that looks at each clip once needs no such time; with a subquery for each clip it may take days."""

MOST_BYTES = 10_000_000
"""Of a value that a condition makes."""

STEPS = 1_000
"""Of SQLite's machine, between two looks at the clock."""

_TOKENS = re.compile(r"'(?:[^']|'')*'|\"((?:[^\"]|\"\")*)\"|--[^\n]*|/\*.*?(?:\*/|$)", re.DOTALL)
"""Texts, names in double quotes (group 1) and comments."""


class WhereError(UsageError):
    """The condition cannot be understood."""


def matching(table: pa.Table, where: str, seconds: float = MOST_SECONDS) -> list[int]:
    """Places of the rows, from 0 and in their order, for which `where` is true.

    Args:
        table: rows of the index.
        where: such as `face_similarity >= 0.6 AND identity = 'ada'`.
        seconds: that it may take.

    Raises:
        WhereError: if it is no condition over the index's columns, would do more than read, or takes longer.
    """
    _check_names(where)
    with closing(sqlite3.connect(":memory:")) as connection:
        # A column whose name is not in the text cannot be asked for.
        _fill(connection, table, [column for column in COLUMNS if column.name in where.lower()])
        connection.set_authorizer(_allow)
        _bound(connection, seconds)
        try:
            # On lines of its own, as it may end in a comment; within CASE nothing but a condition can stand.
            asked = f"SELECT place FROM clips WHERE CASE WHEN (\n{where}\n) THEN 1 END"
            found = {place for (place,) in connection.execute(asked)}
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise _located(where, str(error)) from error
    return [place for place in range(table.num_rows) if place in found]


def _bound(connection: sqlite3.Connection, seconds: float) -> None:
    """Have it give up when it takes too long, and make no values that no column could hold."""
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
    if sys.version_info >= (3, 11):
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)


def _allow(action: int, of: str | None, *_: object) -> int:
    """SQLite asks for each thing that a statement would do: only the clips may be read, and functions called."""
    reads = action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION) or (action, of) == (sqlite3.SQLITE_READ, "clips")
    return sqlite3.SQLITE_OK if reads else sqlite3.SQLITE_DENY


def _fill(connection: sqlite3.Connection, table: pa.Table, columns: list[Column]) -> None:
    """All rows in one table, in their order, with their places."""
    kinds = "".join(f', "{column.name}" {_TYPES.get(column.kind, "TEXT")}' for column in columns)
    connection.execute(f"CREATE TABLE clips (place INTEGER PRIMARY KEY{kinds})")
    marks = ", ".join("?" * (1 + len(columns)))
    connection.executemany(f"INSERT INTO clips VALUES ({marks})", _rows(table, columns))


def _rows(table: pa.Table, columns: list[Column]) -> Iterator[tuple[object, ...]]:
    cells = [[_plain(value, column) for value in table[column.name].to_pylist()] for column in columns]
    return zip(range(table.num_rows), *cells, strict=True)


def _plain(value: Any, column: Column) -> object:  # noqa: ANN401 - whatever a cell holds
    if value is None:
        return None
    if column.kind == "time":
        return value.isoformat(timespec="seconds")
    return json.dumps(value, ensure_ascii=False) if column.kind in ("texts", "numbers") else value


def _check_names(where: str) -> None:
    """A name in double quotes that no column has is a text to SQLite, and the condition would mean something else.

    Raises:
        WhereError: if there is one.
    """
    for token in _TOKENS.finditer(where):
        name = token[1]
        if name is not None and name.lower() not in _NAMES:
            near = get_close_matches(name.lower(), _NAMES, n=1)
            text = name.replace('""', '"').replace("'", "''")
            also = f"did you mean {near[0]}? a text" if near else "a text"
            raise WhereError(_pointed(where, token.start(), f"there is no column {name}"), f"{also} is '{text}'")


def _located(where: str, told: str) -> WhereError:
    """What SQLite says, with the place that it speaks of."""
    if unknown := re.fullmatch(r"no such column: (?:clips\.)?(.+)", told):
        name = unknown[1]
        near = get_close_matches(name.lower(), _NAMES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"a text is '{name}'; --columns shows all columns"
        return WhereError(_pointed(where, _find(where, name), f"there is no column {name}"), hint)
    if near_it := re.fullmatch(r'near "(.+)": syntax error', told, re.DOTALL):
        at = _find(where, near_it[1])
        return WhereError(_pointed(where, at, f"SQL does not go on with {near_it[1]} here"), _SAMPLE)
    if told == "interrupted":
        cure = "leave out subqueries over all clips, or filter index.parquet with a tool of your own"
        return WhereError(_pointed(where, 0, "this condition takes too long"), cure)
    if told.startswith(("not authorized", "access to", "You can only execute one statement")):
        return WhereError(_pointed(where, 0, "a condition may only read the columns of the index"), _SAMPLE)
    return WhereError(_pointed(where, 0, f"this is no condition: {told}"), _SAMPLE)


_NAMES = tuple(column.name for column in COLUMNS)
_SAMPLE = "write it as after WHERE in SQL, such as \"face_similarity >= 0.6 AND identity = 'ada'\""


def _find(where: str, name: str) -> int:
    """Where a name stands, not within a text."""
    blank = _TOKENS.sub(lambda token: " " * len(token[0]), where)
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", blank, re.IGNORECASE)
    return found.start() if found else max(blank.find(name), 0)


def _pointed(where: str, at: int, told: str) -> str:
    """The message, and below it the line with a mark."""
    line = where[:at].count("\n")
    column = at - (where.rfind("\n", 0, at) + 1)
    return f"--where: {told}\n  {where.splitlines()[line] if where else ''}\n  {' ' * column}^"
