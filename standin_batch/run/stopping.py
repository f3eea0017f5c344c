"""Stopping: a wish (a signal, `standin stop`, a deadline) becomes a flag that the run looks at between two steps.

Where there is nothing to save (while weights load, prompts are encoded, a video is decoded), the run is interrupted at
once instead. A second wish interrupts it wherever it is, and leaves if that takes too long: every state on disk can be
gone on from.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from standin_batch.errors import ExitCode

PATIENCE = 0.5
"""Seconds that a second wish leaves for an orderly end."""

SLICE = 0.05
"""Seconds between two looks while it waits."""

SHOW_CURSOR = "\x1b[?25h"

SIGNALS = {"SIGINT": "Ctrl-C", "SIGTERM": "SIGTERM"}
"""What stops a run, and what people call it."""


class Stopped(KeyboardInterrupt):
    """The run is to stop now. No `Exception`, so that nothing takes it for a fault of the job at work."""


class Stop:
    """Whether a run is to stop, and why.

    Attributes:
        reason: why; empty while it is not to stop.
        at: deadline, as `time.monotonic` has it; None without one.
        may_leave: whether a second wish may end this process; one that others live in, such as a notebook's, stays.
        by_signals: whether a second signal is a second wish. Not where a scheduler sends them: it repeats itself, and
            whoever asks by a file has SIGTERM follow; there only `insist` is.
    """

    def __init__(self, at: float | None = None, *, may_leave: bool = True, by_signals: bool = True) -> None:
        self.reason = ""
        self.at = at
        self.may_leave = may_leave
        self.by_signals = by_signals
        self._at_once = 0
        self._wish = ""
        self._wished = 0
        self._insisted = False
        self._leaving: threading.Timer | None = None
        self._listening = False

    @property
    def requested(self) -> bool:
        """Whether it is to stop."""
        return bool(self.reason)

    def check(self) -> None:
        """Between two steps: the place to stop at.

        Raises:
            Stopped: if the run is to stop.
        """
        if self.requested:
            raise Stopped(self.reason)

    def is_near(self, seconds: float) -> bool:
        """Whether the run is to stop now, as what comes next, taking so many seconds, would end after the deadline."""
        if not self.requested and self.at is not None and time.monotonic() + seconds > self.at:
            self.request("the deadline")
        return self.requested

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """The block may be interrupted anywhere: there is nothing in it to save."""
        self._at_once += 1
        try:
            self.check()  # what came before this line is known, what comes after it interrupts
            yield
        finally:
            self._at_once -= 1

    def wait(self, seconds: float) -> None:
        """Wait, unless the run is to stop, or its deadline comes.

        In slices: what a signal's handler would have to wake might be held by what it interrupts.

        Raises:
            Stopped: if it is to stop, or comes to be.
        """
        until = time.monotonic() + seconds
        while not self.is_near(0.0) and (left := until - time.monotonic()) > 0:
            time.sleep(min(SLICE, left))
        self.check()

    def request(self, reason: str) -> None:
        """Stop at the next place for it."""
        if not self.requested:
            self.reason = reason

    def interrupt(self, reason: str) -> None:
        """From another thread, once: as a signal would."""
        if not self._listening:
            self.request(reason)
            return
        self._wish = reason
        self._wished += 1
        with suppress(ProcessLookupError):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    def insist(self) -> None:
        """From another thread: as a second signal would."""
        if self._listening:
            self._insisted = True
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    def heard(self, name: str) -> None:
        """A signal has come: somebody's, or `interrupt`'s own.

        Raises:
            Stopped: at once, if there is nothing to save here, or it is the second.
        """
        own, self._wished = self._wished > 0, 0
        insisted, self._insisted = self._insisted, False
        if self.requested and not (insisted or self.by_signals):
            return
        again = self.requested and not own
        if again and self.may_leave:
            self._leaving = leave_soon()
        self.request(self._wish if own else name)
        if again or self._at_once:
            raise Stopped(self.reason)

    def ended(self) -> None:
        """The run has ended in an orderly way: a second wish that came is fulfilled."""
        if self._leaving is not None:
            self._leaving.cancel()


@contextmanager
def listening(stop: Stop) -> Iterator[None]:
    """Within the block, SIGINT and SIGTERM come to `stop`, and SIGHUP does no harm.

    Only the main thread can listen; elsewhere, as in a notebook's, signals stay as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def hear(number: int, _frame: FrameType | None) -> None:
        stop.heard(SIGNALS[signal.Signals(number).name])

    before = {name: signal.signal(getattr(signal, name), hear) for name in SIGNALS}
    before["SIGHUP"] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop._listening = True
    try:
        yield
    finally:
        stop.ended()
        stop._listening = False
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def leave_soon() -> threading.Timer:
    """Leave in a moment, whatever this process is at then."""
    timer = threading.Timer(PATIENCE, _leave)
    timer.daemon = True
    timer.start()
    return timer


def _leave() -> None:
    if sys.stderr.isatty():
        with suppress(OSError):
            os.write(2, SHOW_CURSOR.encode())
    os._exit(ExitCode.STOPPED)
