"""Where words go: messages to standard error, results to standard output."""

from __future__ import annotations

import contextlib
import json
import sys
import unicodedata
from typing import IO, TYPE_CHECKING, Any, cast

from rich.console import Console
from rich.text import Text

from standin_batch.errors import StandinError

if TYPE_CHECKING:
    from standin_batch.manifest import Manifest


class _Unheard:
    """A stream that may go away: messages to a terminal that was closed are lost, and end nothing."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, if somebody listens."""
        with contextlib.suppress(OSError, ValueError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, if somebody listens."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)


# The streams are fixed here: while libraries are made quiet, `sys.stdout` and `sys.stderr` are the log.
err = Console(file=cast("IO[str]", _Unheard(sys.stderr)), highlight=False, soft_wrap=True)
out = Console(file=sys.stdout, highlight=False, soft_wrap=True)


def show_error(error: StandinError) -> None:
    """Show an error and its cure; a manifest's mistakes each with its line."""
    problems = getattr(error, "problems", ())
    for problem in problems:
        err.print(problem.to_text())
        err.print()
    err.print(Text.assemble(("error: ", "bold red"), printable(error.message)))
    if error.hint:
        err.print(Text.assemble(("  cure: ", "bold green"), printable(error.hint)))


def show_warnings(manifest: Manifest) -> None:
    """Show what the user should know of a manifest, each with its line."""
    for warning in manifest.warnings:
        err.print(warning.to_text())
        err.print()


def warn(message: str, hint: str = "") -> None:
    """Show a warning and its cure."""
    err.print(Text.assemble(("warning: ", "bold yellow"), printable(message)))
    if hint:
        err.print(Text.assemble(("   cure: ", "bold green"), printable(hint)))


def print_json(value: object) -> None:
    """Print one JSON value on one line of standard output."""
    out.file.write(json.dumps(value, ensure_ascii=False) + "\n")
    out.file.flush()


def printable(text: str) -> str:
    """`text` without what steers a terminal: names of files and answers of libraries may hold anything."""
    return "".join(char if char in "\n\t" or not _steers(char) else "\N{REPLACEMENT CHARACTER}" for char in text)


def _steers(char: str) -> bool:
    joins = char in "\u200c\u200d"  # within words of some scripts, and within emoji
    return unicodedata.category(char) in ("Cc", "Cf", "Cs") and not joins


def duration(seconds: float) -> str:
    """Seconds as people write them: 4.2 s, 3 min 05 s, 2 h 10 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def count(number: int, one: str, many: str = "") -> str:
    """A number and its noun: 1 job, 2 jobs."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: float) -> str:
    """Bytes as people write them: 812 B, 4.2 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"
