"""What the gallery knows of the finished videos: columns, each as small as it can be.

They are the columns of the index, where people look at them one by one: several that say one thing together are one,
each key of the mode has its own, and what only programs read is left to the record.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from standin_batch.output.index import COLUMNS

Cell = str | float | bool | None
Record = Mapping[str, Any]

LEFT_OUT = frozenset(
    {
        *("width", "height", "lora_scales", "lora_sha256", "params", "files", "weights", "versions", "report"),
        *("video_sha256", "perceptual_hash", "record"),
    }
)
"""Columns of the index that the gallery has in another form, or not at all: each clip links its record."""

EXACT = ("seed",)
"""Integers that JavaScript's numbers do not hold: they are texts there."""

DIGITS = 4
"""Behind the point: a gallery is looked at."""

MAX_TEXT = 4_000
"""Characters of a text; the record has the rest."""


@dataclass
class Gathered:
    """A column on its way.

    Attributes:
        name: as in the index; a key of the mode is `params.KEY`.
        kind: `text`, `number`, `boolean` or `time`.
        about: what it says.
        cells: of the rows so far.
    """

    name: str
    kind: str
    about: str
    cells: list[Cell] = field(default_factory=list)

    def encoded(self) -> dict[str, Any]:
        """As JSON: `constant` where all cells are one; `values` and `codes` where many are the same; else `cells`."""
        head = {"name": self.name, "kind": self.kind, "about": self.about}
        values = list(dict.fromkeys(self.cells))
        if len(values) == 1:
            return {**head, "constant": values[0]}
        if len(values) > len(self.cells) / 2:
            return {**head, "cells": self.cells}
        codes = {value: code for code, value in enumerate(values)}
        return {**head, "values": values, "codes": [codes[cell] for cell in self.cells]}


class Columns:
    """Gathers rows into columns.

    Attributes:
        rows: how many there are.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._columns = {name: Gathered(name, kind, about) for name, kind, about, _ in _FIXED}

    def add(self, record: Record, extra: Mapping[str, Cell]) -> None:
        """Add the row of `record`.

        Args:
            record: of a finished job.
            extra: further cells, in columns of their own that are not described.
        """
        for name, _, _, cell in _FIXED:
            self._columns[name].cells.append(_tidy(cell(record)))
        params = record.get("params")
        keyed = {f"params.{key}": value for key, value in params.items()} if isinstance(params, Mapping) else {}
        for name, value in (*keyed.items(), *extra.items()):
            column = self._columns.setdefault(name, Gathered(name, _kind(value), ""))
            column.cells += [None] * (self.rows - len(column.cells))
            column.cells.append(_tidy(_scalar(value)))
        self.rows += 1

    def encoded(self) -> Iterator[dict[str, Any]]:
        """The columns that say anything, each as JSON."""
        for column in self._columns.values():
            column.cells += [None] * (self.rows - len(column.cells))
            if any(cell is not None for cell in column.cells):
                yield column.encoded()


def _scalar(value: object) -> Cell:
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    return ", ".join(map(_short, value)) if isinstance(value, list) else str(value)


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, (int, float)) else "text"


def _tidy(cell: Cell) -> Cell:
    """A cell that JSON and UTF-8 can say."""
    if isinstance(cell, float):
        return round(cell, DIGITS) if math.isfinite(cell) else None
    if isinstance(cell, str):
        text = cell if len(cell) <= MAX_TEXT else f"{cell[:MAX_TEXT]}…"
        return text.encode("utf-8", "replace").decode()
    return cell


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _size(record: Record) -> Cell:
    width, height = record.get("width"), record.get("height")
    return f"{width} × {height}" if isinstance(width, int) and isinstance(height, int) else None


def _loras(record: Record) -> Cell:
    """Names with their scales, in order; null where the record knows nothing of LoRAs, empty where there are none."""
    try:
        return " + ".join(f"{lora['name']} {_short(float(lora['scale']))}" for lora in record["loras"])
    except (KeyError, TypeError, ValueError):
        return None


def _joined(name: str, between: str) -> Callable[[Record], Cell]:
    def cell(record: Record) -> Cell:
        values = record.get(name)
        return between.join(map(_short, values)) or None if isinstance(values, (list, tuple)) else None

    return cell


def _phases(record: Record) -> Cell:
    seconds = record.get("seconds")
    if not isinstance(seconds, Mapping):
        return None
    return " · ".join(f"{phase} {_short(round(float(each), 1))} s" for phase, each in seconds.items() if _is(each))


def _is(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _of_index(name: str) -> Callable[[Record], Cell]:
    column = next(column for column in COLUMNS if column.name == name)

    def cell(record: Record) -> Cell:
        value = column.cell(record)
        if value is not None and (column.kind == "time" or name in EXACT):
            return value.isoformat(timespec="seconds") if hasattr(value, "isoformat") else str(value)
        return value if value is None or isinstance(value, (str, bool, int, float)) else None

    return cell


_OWN: dict[str, Callable[[Record], Cell]] = {
    "also": _joined("also", ", "),
    "loras": _loras,
    "cfg_scale": _joined("cfg_scale", " / "),
    "accept": _joined("accept", " and "),
    "seconds_by_phase": _phases,
}
"""Columns of the index whose lists and objects become one text."""

_KINDS = {"integer": "number", "numbers": "text", "texts": "text", "json": "text"}


def _fixed() -> Iterator[tuple[str, str, str, Callable[[Record], Cell]]]:
    for column in COLUMNS:
        if column.name == "width":
            yield "size", "text", "Width and height in pixels.", _size
        if column.name not in LEFT_OUT:
            kind = "text" if column.name in EXACT else _KINDS.get(column.kind, column.kind)
            yield column.name, kind, column.about, _OWN.get(column.name) or _of_index(column.name)


_FIXED = tuple(_fixed())
