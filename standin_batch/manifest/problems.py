"""What is wrong with a manifest, shown as a compiler would: where, what, the line underlined, and what is allowed.

Here live the values and how they look. Finding problems is the business of the modules that look for them.
"""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from standin_batch.errors import UsageError

if TYPE_CHECKING:
    from rich.text import Text

MAX_PROBLEMS = 200
"""More are counted, not kept: nobody reads them, and a broken file of 16 MiB has a million."""

SNIPPET_WIDTH = 110
MIN_WIDTH = 40
TAB = 4

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        file: as the user would name it; for the command line, the whole option (`--set jobs.a.seed=x`).
        line: from 1; 0 when it is about the file as a whole, or on the command line.
        column: from 1, in characters.
        length: of the text to underline, in characters.
        message: what is wrong.
        hint: what is allowed, or was probably meant; may be empty.
        source_line: the line itself; empty when there is nothing to show.
        severity: a warning stops nothing.
    """

    file: str
    line: int
    column: int
    length: int
    message: str
    hint: str = ""
    source_line: str = ""
    severity: Severity = "error"

    @property
    def where(self) -> str:
        """`file:line:column`, or the file alone."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    @property
    def order(self) -> tuple[str, int, int, str]:
        """Sorts problems as one reads."""
        return (self.file, self.line, self.column, self.message)

    def __str__(self) -> str:
        return "".join(text for text, _ in self._pieces(SNIPPET_WIDTH))

    def to_text(self, width: int = 0) -> Text:
        """The same with colours, for a terminal of `width` columns, or the one at hand."""
        from rich.text import Text

        columns = width or shutil.get_terminal_size((SNIPPET_WIDTH, 24)).columns
        return Text.assemble(*self._pieces(max(MIN_WIDTH, min(SNIPPET_WIDTH, columns))), overflow="fold")

    def _pieces(self, width: int) -> Iterator[tuple[str, str]]:
        colour = "red" if self.severity == "error" else "yellow"
        yield f"{_printable(self.where)}: ", "bold"
        if self.severity == "warning":
            yield "warning: ", f"bold {colour}"
        yield _printable(self.message), f"bold {colour}"
        gutter = len(str(self.line)) if self.line else 1
        if self.source_line and not self.source_line.isspace():
            yield from self._snippet(gutter, width - gutter - 3, colour)
        if self.hint:
            yield "\n" + " " * gutter + " = help: ", "cyan"
            yield _printable(self.hint), ""

    def _snippet(self, gutter: int, width: int, colour: str) -> Iterator[tuple[str, str]]:
        shown, before, underlined = _window(self.source_line, self.column, self.length, width)
        number = str(self.line) if self.line else ""
        yield f"\n{' ' * gutter} |\n{number:>{gutter}} | ", "blue"
        yield shown, ""
        yield f"\n{' ' * gutter} | ", "blue"
        yield " " * before + "^" * underlined, f"bold {colour}"


class ManifestError(UsageError):
    """The manifest is wrong; every problem that could be found is here at once."""

    def __init__(self, problems: Iterable[Problem], more: int = 0) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems, key=lambda problem: problem.order))
        self.more = more
        super().__init__(summary(self.problems, more))

    def __str__(self) -> str:
        return "\n\n".join([*map(str, self.problems), self.message])


class Problems:
    """Collects what is found; a problem told twice is kept once."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Problem] = {}
        self._more = 0
        self._told = 0
        self._settled: set[tuple[str, int, int]] = set()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What stops the manifest from being used."""
        return tuple(problem for problem in self._found.values() if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What the user should know, in reading order."""
        found = (problem for problem in self._found.values() if problem.severity == "warning")
        return tuple(sorted(found, key=lambda problem: problem.order))

    @property
    def count(self) -> int:
        """How many were told, kept or not, and also those told twice: has one been added since?"""
        return self._told

    @property
    def full(self) -> bool:
        """No more are kept: time not to look for causes."""
        return len(self._found) >= MAX_PROBLEMS

    def settle(self, problem: Problem) -> None:
        """Tell nothing more about the place of `problem`: what follows from it is no news."""
        self._settled.add(problem.order[:3])

    def add(self, problem: Problem) -> None:
        """Keep `problem`, or count it when there are too many."""
        self._told += 1
        if problem.order in self._found or problem.order[:3] in self._settled:
            return
        if self.full:
            self._more += 1
        else:
            self._found[problem.order] = problem

    def raise_errors(self) -> None:
        """Raise ManifestError if there is an error."""
        if self.errors:
            raise ManifestError(self.errors, self._more)


def summary(problems: Sequence[Problem], more: int = 0) -> str:
    """`3 problems in manifest.yaml`."""
    count = len(problems) + more
    files = list(
        dict.fromkeys(problem.file.split(" ")[0] if not problem.line else problem.file for problem in problems)
    )
    others = f" and {len(files) - 1} other file{'s' if len(files) > 2 else ''}" if len(files) > 1 else ""
    where = f"{files[0]}{others}" if files else "the manifest"
    cut = f" ({len(problems)} shown)" if more else ""
    return f"{count:,} problem{'s' if count != 1 else ''} in {where}{cut}"


def _window(line: str, column: int, length: int, width: int) -> tuple[str, int, int]:
    """What of `line` to show in `width` cells, the cells before the underline, and those of the underline."""
    start = min(max(column - 1, 0), len(line))
    end = min(start + max(length, 1), len(line))
    # No character has less than one cell once it is printable, so no more than `width` of them are ever looked at.
    head = _printable(line[max(0, start - width) : start])
    token = _first(_printable(line[start:end][:width], _cells(head)), width * 2 // 3)
    tail = _printable(line[end : end + width], _cells(head + token))
    whole = len(line) <= 2 * width and _cells(head + token + tail) <= width and start <= width
    if not whole:
        room = width - _cells(token)
        head = _last(head, max(room // 2, room - _cells(tail)))
        tail = _first(tail, room - _cells(head))
    return (head + token + tail).rstrip(), _cells(head), max(1, _cells(token))


def _first(text: str, width: int) -> str:
    """As much of the beginning of `text` as fits, and a sign that there is more."""
    if _cells(text) <= width:
        return text
    while _cells(text) > width - 1:
        text = text[: -max(1, (_cells(text) - width) // 2)]
    return text + "…"


def _last(text: str, width: int) -> str:
    """As much of the end."""
    return _first(text[::-1], width)[::-1]


def _printable(text: str, column: int = 0) -> str:
    """`text` with tabs expanded and nothing in it that would steer the terminal."""
    shown: list[str] = []
    for char in text:
        if char == "\t":
            char = " " * (TAB - column % TAB)
        elif unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            char = "\N{REPLACEMENT CHARACTER}"
        shown.append(char)
        column += _cells(char)
    return "".join(shown)


def _cells(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
