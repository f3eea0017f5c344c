"""Standard output is for results: what libraries print and warn goes to the log, of the threads that call them.

The streams are one for all threads, so while any thread is hushed they are told apart by the thread that writes.
"""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

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


class _Thread(threading.local):
    """A thread: how deep in hushed blocks it is, and where its words go then."""

    def __init__(self) -> None:
        self.depth = 0
        self.lines = _LogLines()


class _ByThread:
    """A stream that is the log's for hushed threads, and the one that was there for all others."""

    def __init__(self, real: IO[str]) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        is_hushed = _thread.depth or threading.current_thread().name in _named
        return getattr(_thread.lines if is_hushed else self.real, name)


class _Streams:
    """The two streams of the process. The last thread to leave puts them back, if they are still those of here."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._within = 0

    def take(self) -> None:
        with self._changing:
            self._within += 1
            if not isinstance(sys.stdout, _ByThread):
                sys.stdout = cast("IO[str]", _ByThread(sys.stdout))
            if not isinstance(sys.stderr, _ByThread):
                sys.stderr = cast("IO[str]", _ByThread(sys.stderr))

    def give_back(self) -> None:
        with self._changing:
            self._within -= 1
            if self._within == 0:
                if isinstance(sys.stdout, _ByThread):
                    sys.stdout = sys.stdout.real
                if isinstance(sys.stderr, _ByThread):
                    sys.stderr = sys.stderr.real


_thread, _streams = _Thread(), _Streams()
_named: set[str] = set()


@contextmanager
def hushed() -> Iterator[None]:
    """Within the block, what this thread writes to standard output and standard error goes to the log."""
    if not _thread.depth:
        _thread.lines = _LogLines()
    _streams.take()
    _thread.depth += 1
    try:
        yield
    finally:
        _thread.depth -= 1
        _streams.give_back()


@contextmanager
def hushed_threads(*names: str) -> Iterator[None]:
    """Within the block, what threads of these names write goes to the log: libraries begin some that talk."""
    _named.update(names)
    _streams.take()
    try:
        yield
    finally:
        _streams.give_back()
        _named.difference_update(names)


@contextmanager
def aloud() -> Iterator[None]:
    """Within the block, what this thread writes is heard, also where it is hushed: for who is called from there."""
    depth, _thread.depth = _thread.depth, 0
    try:
        yield
    finally:
        _thread.depth = depth
