"""One run at a time for each output folder: the second is told who holds it, and leaves.

The lock is the kernel's (`flock`): it ends with the process that holds it, however that ends. The file only says who.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from standin_batch.errors import ExitCode, StandinError


class LockedError(StandinError):
    """Another run holds this output."""

    exit_code = ExitCode.LOCKED


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Within the block, no other process is within such a block for the same `path`.

    Raises:
        LockedError: naming the process that is.
    """
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _locked(path) from error
        file.truncate(0)
        file.write(json.dumps(_holder()))
        file.flush()
        yield


def _holder() -> dict[str, object]:
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    return {"host": socket.gethostname(), "pid": os.getpid(), "since": now}


def _locked(path: Path) -> LockedError:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        who = f"process {holder['pid']} on {holder['host']}, since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        who = "another process"
    folder = path.parent.parent
    return LockedError(f"{who}, is at work in {folder}", f"wait for it, or look: standin status {folder}")
