"""Markdown: tables and texts whose parts may hold anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_UNSAFE = re.compile(r"[\x00-\x20<>|%#?\\]")
"""What would end a link, or mean something else in it."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def escaped(text: object) -> str:
    """`text` as it is to be read, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def code(text: object) -> str:
    """`text` as code, on one line; what would end it is left out, in tables too."""
    return f"`{' '.join(str(text).replace('`', '').replace('|', '¦').split())}`"


def link(text: str, path: str) -> str:
    """A link to a file below the folder of the page."""
    return f"[{escaped(text)}](<{_UNSAFE.sub(lambda found: f'%{ord(found[0]):02X}', path)}>)"


def table(head: Sequence[str], rows: Iterable[Sequence[object]], right: Iterable[str] = ()) -> str:
    """A table; cells are Markdown already.

    Args:
        head: names of the columns.
        rows: their cells.
        right: columns of numbers.
    """
    marks = ["---:" if name in set(right) else "---" for name in head]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in (head, marks, *rows))
