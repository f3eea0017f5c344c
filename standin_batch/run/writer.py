"""The writer: videos and records go to disk in a thread of their own while the next job denoises."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Semaphore
from types import TracebackType

BACKLOG = 2
"""Clips that may wait to be written: 81 frames of 832 x 480 are 97 MB each."""


class Writer:
    """Runs tasks one after the other in a thread; waits when too many are pending. Leaving it waits for all of them."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._free = Semaphore(BACKLOG)
        self._tasks: list[Future[None]] = []

    def submit(self, task: Callable[[], None]) -> None:
        """Run `task` soon. What an earlier task raised is raised here, or when the writer is left."""
        self._free.acquire()
        self._raise_finished()
        task_running = self._pool.submit(task)
        task_running.add_done_callback(lambda _: self._free.release())
        self._tasks.append(task_running)

    def _raise_finished(self) -> None:
        finished = [running for running in self._tasks if running.done()]
        self._tasks = [running for running in self._tasks if not running.done()]
        for running in finished:
            running.result()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        interrupted = self._wait()
        if kind is None:
            self._raise_finished()
            if interrupted is not None:
                raise interrupted

    def _wait(self) -> KeyboardInterrupt | None:
        """Wait for all tasks, also through an interrupt: a clip that took minutes is not thrown away for seconds."""
        interrupted = None
        while True:
            try:
                self._pool.shutdown(wait=True)
                return interrupted
            except KeyboardInterrupt as error:
                interrupted = error
