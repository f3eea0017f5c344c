"""Signs of life: whoever holds a lock touches its file every few seconds, which other machines can see.

Only times of one file system are compared with each other, so that it does not matter what the clocks of machines say.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from standin_batch.files import TEMPORARY_PREFIX

HEARTBEAT = 5.0
"""Seconds from one touch to the next."""

PERIODS = 2
"""Without a touch, and a holder is silent."""

LONG_SILENT = 12
"""Periods since the last touch, and nobody has to be waited for: far more than writes of a busy disk are late."""

LOOKS = 5
"""In each period, so that a sign of life is seen soon."""

Rest = Callable[[float], object]
"""Waits for so many seconds between two looks; raises to end the waiting."""


@contextlib.contextmanager
def beating(descriptor: int) -> Iterator[None]:
    """Within the block, a thread touches the open file every `HEARTBEAT` seconds."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(HEARTBEAT):
            with contextlib.suppress(OSError):  # a server that is away for a while
                os.utime(descriptor)

    thread = threading.Thread(target=beat, name="lock-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def is_touched(path: Path, rest: Rest = time.sleep) -> bool:
    """Whether `path` changes while one looks: up to `PERIODS` heartbeats, and not at all where it is long silent."""
    first = _touched_at(path)
    if first is None or _present(path) - first > LONG_SILENT * HEARTBEAT:
        return False
    for _ in range(PERIODS * LOOKS):
        rest(HEARTBEAT / LOOKS)
        if _touched_at(path) != first:
            return True
    return False


def was_touched(path: Path) -> bool:
    """Whether `path` changed within the last `PERIODS` heartbeats: as much as can be said without waiting."""
    last = _touched_at(path)
    return last is not None and _present(path) - last <= PERIODS * HEARTBEAT


def _touched_at(path: Path) -> float | None:
    """Opened for it: network file systems ask the server then (nfs(5), close-to-open)."""
    try:
        with path.open("rb") as file:
            return os.fstat(file.fileno()).st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return None


def _present(path: Path) -> float:
    """What the file system of `path` takes for the present; this machine's clock where nothing can be written."""
    beside = path.with_name(f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}")
    try:
        with beside.open("xb") as file:
            return os.fstat(file.fileno()).st_mtime
    except OSError:
        return time.time()
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()
