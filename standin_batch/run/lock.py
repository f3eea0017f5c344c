"""One run at a time for each output folder: the second is told who holds it, and leaves or waits.

How a lock is taken, and who is dead, is said in `locks`.
"""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from standin_batch.errors import ExitCode, StandinError
from standin_batch.locks.heartbeat import Rest
from standin_batch.locks.held import HeldError, who
from standin_batch.locks.holder import Holder
from standin_batch.locks.lock import exclusive, holder

__all__ = ["LockedError", "held", "holder"]


class LockedError(StandinError):
    """Another run holds this output.

    Attributes:
        holder: its process; None where that has not said yet who it is.
    """

    exit_code = ExitCode.LOCKED

    def __init__(self, message: str, hint: str, holder: Holder | None = None) -> None:
        super().__init__(message, hint)
        self.holder = holder


@contextlib.contextmanager
def held(path: Path, wait: Callable[[str], object] | None = None, rest: Rest = time.sleep) -> Iterator[None]:
    """Within the block, no other process is within such a block for the same `path`.

    Args:
        path: the lock of an output folder (`OutputLayout.lock`).
        wait: is told once, in a sentence, who is at work there, and then it is waited for; None to raise instead.
        rest: waits for so many seconds between two looks; what it raises ends the waiting.

    Raises:
        LockedError: naming the process that is.
        OSError: if the folder cannot be written.
    """
    folder = path.parent.parent

    def tell(other: Holder | None) -> None:
        if wait is not None:
            wait(f"waiting for {who(other)}, which is at work in {folder}")

    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(exclusive(path, None if wait is None else tell, rest))
        except HeldError as error:
            raise _locked(folder, error) from error
        yield


def _locked(folder: Path, error: HeldError) -> LockedError:
    if error.cure:
        message = f"{who(error.holder)}, holds {folder} and gives no sign of life; this file system has no locks"
        return LockedError(message, error.cure, error.holder)
    name = shlex.quote(str(folder))
    cure = f"look: standin status {name}; end it: standin stop {name}; or wait for it: standin run --wait"
    return LockedError(f"{who(error.holder)}, is at work in {folder}", cure, error.holder)
