"""Where a value was written: files, places in them, and values that know their place.

Reading YAML into these is `reader`'s; what the values mean is the schema's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from standin_batch.manifest.problems import Problem, Severity

Scalar: TypeAlias = "bool | int | float | str | None"

PlainData: TypeAlias = Any
"""A scalar, a list or a dict of such."""

YAML_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What YAML counts as the end of a line; `str.splitlines` knows more."""


@dataclass(frozen=True, eq=False)
class Source:
    """A text that values were read from.

    Attributes:
        name: as messages name it.
        folder: what relative paths in it are relative to.
        text: all of it.
        numbered: whether it has lines; an option of the command line has not.
        line_break: what ends a line.
        assigns: what stands between a key and its value.
    """

    name: str
    folder: Path
    text: str = field(repr=False)
    numbered: bool = True
    line_break: re.Pattern[str] = field(default=YAML_BREAK, repr=False)
    assigns: str = ": "

    @cached_property
    def lines(self) -> list[str]:
        """The text, line by line."""
        return self.line_break.split(self.text)

    def line(self, number: int) -> str:
        """Line `number`, from 1; empty where there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def mark(self, line: int = 1, column: int = 1, length: int = 0) -> Mark:
        """A place in this text; without a length, the rest of the line."""
        return Mark(self, line, column, length or max(1, len(self.line(line).rstrip()) - column + 1))


@dataclass(frozen=True, eq=False, slots=True)
class Mark:
    """A place in a source, counted from 1 in characters."""

    source: Source
    line: int
    column: int
    length: int

    @property
    def file(self) -> str:
        """The source as messages name it."""
        return self.source.name

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.source.numbered else self.file

    def within(self, text: str) -> Mark:
        """The place of `text` in what is marked, if that is on its first line."""
        at = self.source.line(self.line).find(text, self.column - 1)
        return Mark(self.source, self.line, at + 1, len(text)) if at >= 0 else self

    def seen_from(self, other: Mark) -> str:
        """`line 3`, or `base.yaml:3` when that is another file."""
        return f"line {self.line}" if self.source is other.source and self.source.numbered else str(self)

    def problem(self, message: str, hint: str = "", severity: Severity = "error") -> Problem:
        """A problem at this place."""
        line = self.line if self.source.numbered else 0
        shown = self.source.line(self.line)
        return Problem(self.file, line, self.column, self.length, message, hint, shown, severity)


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """A value and its place. Nodes may be shared (aliases), so they are never changed.

    Attributes:
        value: a scalar, a tuple of nodes, or a dict from key to node.
        mark: where the value is.
        keys: for a mapping, where each key is.
        plain: a scalar without quotes, whose text may be typed anew once variables are in it.
    """

    value: Scalar | tuple[Node, ...] | dict[str, Node]
    mark: Mark
    keys: Mapping[str, Mark]
    plain: bool

    @property
    def items(self) -> tuple[Node, ...]:
        """The items of a list; none for anything else."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def entries(self) -> dict[str, Node]:
        """The entries of a mapping; none for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def is_list(self) -> bool:
        """A list."""
        return isinstance(self.value, tuple)

    @property
    def is_map(self) -> bool:
        """A mapping."""
        return isinstance(self.value, dict)

    def key_mark(self, key: str) -> Mark:
        """Where `key` is written, or the mapping itself."""
        return self.keys.get(key, self.mark)

    def data(self) -> PlainData:
        """The value without places."""
        if isinstance(self.value, tuple):
            return [item.data() for item in self.value]
        if isinstance(self.value, dict):
            return {key: item.data() for key, item in self.value.items()}
        return self.value

    def with_entry(self, key: str, child: Node, mark: Mark) -> Node:
        """This mapping with one entry set."""
        return replace(self, value={**self.entries, key: child}, keys={**self.keys, key: mark})

    def without(self, key: str) -> Node:
        """This mapping less one entry."""
        return replace(self, value={name: child for name, child in self.entries.items() if name != key})

    def with_item(self, index: int, child: Node) -> Node:
        """This list with one item replaced."""
        return replace(self, value=(*self.items[:index], child, *self.items[index + 1 :]))


def scalar(value: Scalar, mark: Mark, plain: bool = False) -> Node:
    """A node without parts."""
    return Node(value, mark, {}, plain)


def listing(items: Sequence[Node], mark: Mark) -> Node:
    """A node of items."""
    return Node(tuple(items), mark, {}, False)


def mapping(entries: Mapping[str, Node], keys: Mapping[str, Mark], mark: Mark) -> Node:
    """A node of entries."""
    return Node(dict(entries), mark, keys, False)
