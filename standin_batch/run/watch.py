"""The watch beside a run: a thread that looks for the deadline and for `standin stop`, and says that a stop is near."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from standin_batch.run.stop_request import StopRequest
from standin_batch.run.stopping import Stop

INTERVAL = 0.25
"""Seconds between two looks."""

Asked = Callable[[], "StopRequest | None"]
"""What somebody asks this process for."""


@contextmanager
def watching(stop: Stop, asked: Asked, tell: Callable[[str], None]) -> Iterator[None]:
    """Within the block, somebody looks.

    Args:
        stop: is interrupted at its deadline, or when somebody asks for it.
        asked: what somebody asks for.
        tell: is told once why the run is stopping.
    """
    ended = threading.Event()
    watch = threading.Thread(target=_look, args=(stop, asked, tell, ended), name="watch", daemon=True)
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()


def _look(stop: Stop, asked: Asked, tell: Callable[[str], None], ended: threading.Event) -> None:
    told = asked_for = insisted = False
    while not ended.wait(INTERVAL):
        request = asked()
        if not stop.requested:
            late = stop.at is not None and time.monotonic() >= stop.at
            if (late or request is not None) and not asked_for:
                asked_for = True
                stop.interrupt("the deadline" if late else "standin stop")
            continue
        if not told:
            told = True
            with suppress(KeyboardInterrupt):  # nobody reads it
                tell(stop.reason)
        if request is not None and request.now and not insisted:
            insisted = True
            stop.insist()
