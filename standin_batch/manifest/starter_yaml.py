"""YAML as a person would write it: plain where that is safe, in quotes where not, comments in one column."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence

from standin_batch.manifest import scalars

COLUMN = 40
"""Characters before a comment, if what it is about is not longer."""

MAX_COLUMN = 90
"""Longer lines have their comments right behind them, and push nobody else's away."""

WIDTH = 110

BOOLEANS = frozenset(("y", "n", "yes", "no", "on", "off"))
"""In YAML 1.1, which editors may still read."""

_FLOW = re.compile(r"[,\[\]{}]")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def scalar(text: str, *, flow: bool = False) -> str:
    """`text` as a value on one line.

    Args:
        text: any, without lone surrogates. What looks like a variable stays text.
        flow: whether it stands within brackets.
    """
    literal = text.replace("${", "$${")
    return literal if _is_plain(literal, flow) else quoted(literal)


def _is_plain(text: str, flow: bool) -> bool:
    if not text or not text.isprintable() or text != text.strip():
        return False
    means_more = ": " in text or " #" in text or text.endswith(":") or text.lower() in BOOLEANS
    begins = text[0].isalnum() or text[0] in "/._"
    return begins and not means_more and not (flow and _FLOW.search(text)) and scalars.resolve(text) == text


def quoted(text: str) -> str:
    """`text` in quotes: single ones where that spares escapes, and whatever cannot be seen as an escape."""
    if text.isprintable() and ('"' in text or "\\" in text):
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_ESCAPES.get(char) or (char if char.isprintable() else _escape(char)) for char in text) + '"'


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def entry(key: str, text: str) -> str:
    """`key: text`, two blanks in; long texts of plain words folded over several lines."""
    line = f"  {scalar(key)}: {scalar(text)}"
    if len(line) <= WIDTH or " " not in text or not text.isprintable() or "  " in text or text != text.strip():
        return line
    wrapped = textwrap.wrap(text.replace("${", "$${"), WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    return "\n".join((f"  {scalar(key)}: >-", *(f"    {part}" for part in wrapped)))


def listed(key: str, names: Sequence[str], indent: int) -> str:
    """`key: [one, two]`, over several lines where they are many."""
    blanks = " " * indent
    items = ", ".join(scalar(name, flow=True) for name in names)
    line = f"{blanks}{key}: [{items}]"
    if len(line) <= WIDTH:
        return line
    inner = blanks + "  "
    # A name has no blank in it, so lines break between names.
    wrapped = textwrap.wrap(items, WIDTH - len(inner), break_long_words=False, break_on_hyphens=False)
    return "\n".join((f"{blanks}{key}: [", *(inner + part for part in wrapped), f"{blanks}]"))


def commented(lines: Iterable[tuple[str, str]]) -> list[str]:
    """Lines with their comments, which begin in one column for what stands below a key; an empty comment is none."""
    rows = list(lines)
    ends = [_end(text) + 1 for text, comment in rows if comment and text.startswith(" ")]
    column = max([COLUMN, *(end for end in ends if end <= MAX_COLUMN)])
    return [_with(text, comment, column if text.startswith(" ") else COLUMN) for text, comment in rows]


def _end(text: str) -> int:
    """Cells of the last line: Chinese characters take two."""
    last = text.rsplit("\n", 1)[-1]
    return len(last) + sum(unicodedata.east_asian_width(char) in "WF" for char in last)


def _with(text: str, comment: str, column: int) -> str:
    return f"{text}{' ' * max(1, column - _end(text))}# {comment}" if comment else text
