"""The stopwatch: where the seconds of a thread go, each of them counted once.

A thread that has one (`running`) is told what it is at (`part`). Parts lie within each other, and the time of an inner
one is not the outer one's, so they sum to the whole by construction. Where no stopwatch runs, `part` does nothing.
What the parts are called for people, and what is learnt from them, is no business of this module.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

OTHER = "other"
"""The part of what is in no part."""

START = "start"
"""The part before there was a stopwatch: Python's own start, and what it imports."""


class Stopwatch:
    """Seconds by part, of one thread at a time.

    Args:
        before: seconds that this process was at work before; they are the part `START`.
    """

    def __init__(self, before: float = 0.0) -> None:
        self.beside: list[Stopwatch] = []
        self._seconds = {START: before} if before > 0 else {}
        self._parts = [OTHER]
        self._since = time.perf_counter()

    @contextmanager
    def running(self) -> Iterator[Stopwatch]:
        """Within the block, it is the one of this thread."""
        token = _now.set(self)
        try:
            yield self
        finally:
            _now.reset(token)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Within the block, time goes to the part `name`, but for that of parts within."""
        self._count()
        depth = len(self._parts)
        try:
            self._parts.append(name)
            yield
        finally:
            self._count()
            del self._parts[depth:]  # a signal's exception may have come between any two lines

    def seconds(self) -> dict[str, float]:
        """Seconds by part until now, in the order in which they began."""
        self._count()
        return dict(self._seconds)

    def _count(self) -> None:
        now, name = time.perf_counter(), self._parts[-1]
        self._seconds[name] = self._seconds.get(name, 0.0) + now - self._since
        self._since = now


_now: ContextVar[Stopwatch | None] = ContextVar("stopwatch", default=None)


@contextmanager
def part(name: str) -> Iterator[None]:
    """Within the block, time of this thread's stopwatch goes to the part `name`; nothing where it has none."""
    stopwatch = _now.get()
    if stopwatch is None:
        yield
        return
    with stopwatch.part(name):
        yield


def current() -> Stopwatch:
    """The stopwatch of this thread; a new one, which nobody else looks at, where it has none."""
    return _now.get() or Stopwatch()


def beside() -> Stopwatch:
    """A stopwatch for another thread, which works beside this one; its time is no part of this one's."""
    other = Stopwatch()
    current().beside.append(other)
    return other


def process_seconds() -> float:
    """How long this process exists, by the kernel (to 0.01 s); 0 where it does not say, as on other systems.

    Source: field 22 of `/proc/self/stat`, in clock ticks since boot (proc_pid_stat(5)).
    """
    with suppress(OSError, ValueError, IndexError, AttributeError):
        # The name of the program, in brackets, may hold anything.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        began = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - began)
    return 0.0
