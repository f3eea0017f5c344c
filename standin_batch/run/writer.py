"""The writer: videos and records go to disk in a thread of their own while the next job denoises."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from types import TracebackType

from standin_batch.run.stopping import Stop, Stopped

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
        self._tasks: queue.Queue[Task] = queue.Queue()
        self._pending = 0
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        # Not joined at exit: a run that is to stop leaves a video half-written, under a temporary name.
        threading.Thread(target=self._work, name="writer", daemon=True).start()

    def submit(self, task: Task) -> None:
        """Run `task` soon.

        Raises:
            BaseException: what an earlier task raised.
            Stopped: if the run is to stop while there is no room for it.
        """
        self._wait_for(lambda: self._pending < BACKLOG)
        self._raise()
        with self._changed:
            self._pending += 1
        self._tasks.put(task)

    def _work(self) -> None:
        while True:
            task = self._tasks.get()
            try:
                if self._error is None:
                    task()
            except BaseException as error:
                self._error = error
            with self._changed:
                self._pending -= 1
                self._changed.notify_all()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _wait_for(self, done: Callable[[], bool]) -> None:
        """Wait until it is so; a run that is to stop waits only for a moment."""
        until = None
        with self._changed:
            while not done():
                if self._stop.requested:
                    until = until or time.monotonic() + GRACE
                    if time.monotonic() > until:
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
        if kind is None:
            self._raise()
