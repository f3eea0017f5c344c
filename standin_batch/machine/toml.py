"""TOML to values that know their places, so that what is wrong with them can be shown where it is written.

`tomllib` reads the values, and tells no places: keys are looked for in the lines. What is not found there, as within
an inline table, has the place of what it lies in.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from standin_batch.manifest.problems import Problem, Problems
from standin_batch.manifest.source import Mark, Node, Source, listing, mapping, scalar

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MOST_BYTES = 1 << 20

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_KEYS = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_TABLE = re.compile(rf"\s*\[\[?\s*({_KEYS})\s*\]")
_ENTRY = re.compile(rf"\s*({_KEYS})\s*=\s*")
_LINE_BREAK = re.compile(r"\r?\n")
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)")

KeyPath = tuple[str, ...]
Places = Mapping[KeyPath, tuple[Mark, Mark]]
"""Of each key: where it is, and where its value is."""


def read_toml(path: Path, problems: Problems) -> Node | None:
    """The table that a file holds; None after a problem."""
    text = _text(path, problems)
    if text is None:
        return None
    source = Source(str(path), path.parent, text, line_break=_LINE_BREAK, assigns=" = ")
    try:
        return _node(tomllib.loads(text), (), dict(_places(source)), source.mark())
    except tomllib.TOMLDecodeError as error:
        problems.add(_located(str(error), source))
        return None


def _text(path: Path, problems: Problems) -> str | None:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) <= MOST_BYTES:
            return content.decode("utf-8")
        told = "it is larger than 1 MiB: this is no machine file"
    except OSError as error:
        told = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        told = "it is not UTF-8"
    problems.add(Problem(str(path), 0, 1, 1, told, "name another: --config FILE"))
    return None


def _located(told: str, source: Source) -> Problem:
    found = _AT.search(told)
    line, column = (int(found[1]), int(found[2])) if found and found[1] else (len(source.lines), 1)
    return source.mark(line, column).problem(_AT.sub("", told), "the file is TOML: `key = value`, texts in quotes")


def _places(source: Source) -> Iterator[tuple[KeyPath, tuple[Mark, Mark]]]:
    """Keys and their places; where lines of a text look like keys, these are told too, and are nobody's."""
    table: KeyPath = ()
    for number, line in enumerate(source.lines, start=1):
        if found := _TABLE.match(line):
            table = _parts(found[1])
            mark = source.mark(number, found.start(1) + 1, len(found[1]))
            yield table, (mark, mark)
        elif found := _ENTRY.match(line):
            key = source.mark(number, found.start(1) + 1, len(found[1]))
            yield (*table, *_parts(found[1])), (key, source.mark(number, found.end() + 1))


def _parts(keys: str) -> KeyPath:
    return tuple(key.strip("\"'") for key in re.findall(_KEY, keys))


def _node(value: Any, path: KeyPath, places: Places, around: Mark) -> Node:  # noqa: ANN401
    mark = places[path][1] if path in places else around
    if isinstance(value, dict):
        entries = {key: _node(child, (*path, key), places, mark) for key, child in value.items()}
        keys = {key: places.get((*path, key), (mark, mark))[0] for key in value}
        return mapping(entries, keys, mark)
    if isinstance(value, list):
        return listing([_node(item, path, places, mark) for item in value], mark)
    return scalar(value, mark)
