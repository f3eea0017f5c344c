"""Standard output is for results: what libraries print and warn goes to the log, from whichever thread."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout

logger = logging.getLogger("libraries")

NO_ERROR = "This is not an error"
"""DiffSynth says so of a dozen models at each start that nobody asked for."""


class _LogLines(io.TextIOBase):
    """A text stream whose lines become log records."""

    def __init__(self) -> None:
        self._rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.strip():
                logger.log(logging.DEBUG if NO_ERROR in line else logging.INFO, "%s", line.rstrip())
        return len(text)


class _Streams:
    """The two streams of the process. They are one for all threads, so the last to leave puts them back."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._within = 0
        self._back = ExitStack()

    def take(self) -> None:
        with self._changing:
            if self._within == 0:
                lines = _LogLines()
                self._back.enter_context(redirect_stdout(lines))
                self._back.enter_context(redirect_stderr(lines))
            self._within += 1

    def give_back(self) -> None:
        with self._changing:
            self._within -= 1
            if self._within == 0:
                self._back.close()


_streams = _Streams()


@contextmanager
def hushed() -> Iterator[None]:
    """Within the block, what is written to standard output and standard error goes to the log, of all threads."""
    _streams.take()
    try:
        yield
    finally:
        _streams.give_back()
