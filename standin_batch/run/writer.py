"""The writer: videos and records go to disk in a thread of their own while the next job denoises."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from types import TracebackType

from standin_batch.run.failure import FailureKind
from standin_batch.run.outcomes import RunEnded
from standin_batch.run.profile import WAIT, WRITE
from standin_batch.run.stopping import Stop, Stopped
from standin_batch.stopwatch import beside, part

logger = logging.getLogger(__name__)

BACKLOG = 2
"""Clips that may wait to be written: 81 frames of 832 x 480 are 97 MB each."""

GRACE = 1.5
"""Seconds that a run which is to stop gives to what is being written; then it is made again from its saved latents."""

LOOK = 0.05
"""Seconds between two looks whether the run is to stop."""

Task = Callable[[], None]


class Writer:
    """Runs tasks one after the other in a thread; waits when too many are pending. Leaving it waits for all of them.

    Args:
        stop: cuts the waiting short.
    """

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._tasks: queue.Queue[Task | None] = queue.Queue()
        self._pending = 0
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self._abandoned = False
        self._stopwatch = beside()
        # Not joined at exit: a run that is to stop leaves a video half-written, under a temporary name.
        threading.Thread(target=self._work, name="writer", daemon=True).start()

    def submit(self, task: Task) -> None:
        """Run `task` soon.

        Raises:
            RunEnded: if an earlier task ended the run, or failed.
            Stopped: if the run is to stop while there is no room for it.
        """
        self._wait_for(lambda: self._pending < BACKLOG)
        self.check()
        with self._changed:
            self._pending += 1
        self._tasks.put(task)

    def wait(self) -> None:
        """Until every task is done.

        Raises:
            RunEnded: if one of them ended the run, or failed.
            Stopped: if the run is to stop, and they take too long.
        """
        self._wait_for(lambda: self._pending == 0)
        self.check()

    def _work(self) -> None:
        with self._stopwatch.running():
            while (task := self._tasks.get()) is not None:
                self._do(task)

    def _do(self, task: Task) -> None:
        try:
            if self._error is None:
                with part(WRITE):
                    task()
        except BaseException as error:
            if not isinstance(error, (RunEnded, KeyboardInterrupt)):
                logger.exception("a clip could not be written")
            self._error = error
        with self._changed:
            self._pending -= 1
            self._changed.notify_all()

    def check(self) -> None:
        """Whether the run may go on.

        Raises:
            RunEnded: if a task ended it, or failed: a task sees to its own job's faults, so that one is not the job's.
        """
        error = self._error
        if error is None:
            return
        if isinstance(error, (RunEnded, KeyboardInterrupt)):
            raise error
        raise RunEnded(FailureKind.MACHINE.value, f"writing failed: {error}") from error

    def may_go_on(self) -> None:
        """For tasks, before they change anything: whether somebody still waits for them.

        Raises:
            Stopped: if the run has left without them; another may be at work in its folder.
        """
        if self._abandoned:
            raise Stopped(self._stop.reason)

    def _wait_for(self, done: Callable[[], bool]) -> None:
        """Wait until it is so; a run that is to stop waits only for a moment."""
        until = None
        with part(WAIT), self._changed:
            while not done():
                if self._stop.requested:
                    until = until or time.monotonic() + GRACE
                    if time.monotonic() > until:
                        self._abandoned = True
                        raise Stopped(self._stop.reason)
                self._changed.wait(LOOK)

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._wait_for(lambda: self._pending == 0)
        except Stopped:
            if kind is None:
                raise
        finally:
            self._tasks.put(None)  # what is called again and again from one process must not leave threads in it
        if kind is None:
            self.check()
