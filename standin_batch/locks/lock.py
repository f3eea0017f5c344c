"""Taking a lock: `exclusive`, which is held by one process at a time, and `holder`, which says by whom.

The kernel's lock (`flock`) decides where the file system has it: it ends with the process that holds it, however that
ends. The file says who holds it, and catches file systems that grant the lock on each machine for itself.
"""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path

from standin_batch.locks.heartbeat import Rest, beating
from standin_batch.locks.held import HeldError, refuse_living
from standin_batch.locks.holder import Holder, myself, named, to_json
from standin_batch.locks.holder_file import file_of, made
from standin_batch.locks.verdict import Verdict, judged, seems_alive

POLL = 1.0
"""Seconds between two attempts of one who waits."""

UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
"""What `flock` says on file systems that have no locks."""

NAMING, NAMING_LOOKS = 0.5, 10
"""Seconds within which one who has just got the lock has written its name."""

Tell = Callable[["Holder | None"], object]
"""Is told who is waited for."""


@contextlib.contextmanager
def exclusive(path: Path, wait: Tell | None = None, rest: Rest = time.sleep, *, leave: bool = True) -> Iterator[None]:
    """Within the block, no other process is within such a block for the same `path`.

    Args:
        path: the file of the lock; its folders are made.
        wait: is told once who holds it, which is then waited for; None to raise instead.
        rest: waits for so many seconds between two looks; what it raises ends the waiting.
        leave: whether the file stays, empty, when the lock is given back.

    Raises:
        HeldError: if another process holds it, or one that may live but gives no sign of it.
        OSError: if the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        told = False
        while True:
            try:
                stack.enter_context(_taken(path, rest, leave))
                break
            except HeldError as error:
                if wait is None or error.cure:
                    raise
                if not told:
                    wait(error.holder)
                told = True
            rest(POLL)
        yield


def holder(path: Path) -> Holder | None:
    """Who holds the lock `path`, without taking it; None if nobody does.

    Of a process of another machine, its last sign of life decides.
    """
    for place in (path, file_of(path)):
        found = named(place)
        if found is not None and seems_alive(place, found):
            return found
    return None


@contextlib.contextmanager
def _taken(path: Path, rest: Rest, leave: bool) -> Iterator[None]:
    me = myself()
    with path.open("a+b", buffering=0) as file:
        is_locked = _flocked(file, path, rest)
        _refuse_others(path, is_locked, rest)
        with _named_in(file, path, me, leave) if is_locked else made(file_of(path), me, rest):
            yield


def _flocked(file: FileIO, path: Path, rest: Rest) -> bool:
    """Whether the kernel has locked the file; not where it cannot.

    Raises:
        HeldError: if it is locked by another process.
    """
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise HeldError(path, _soon_named(path, rest)) from error
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        return False
    return True


def _refuse_others(path: Path, is_locked: bool, rest: Rest) -> None:
    """Refuse to override who lives and holds the lock though the kernel knows nothing of it, as on another machine.

    Where the kernel has granted the lock, whoever gives no sign of life is dead.
    """
    for place in (path, file_of(path)) if is_locked else (path,):
        found = judged(place, rest)
        if found is not None and (found[1] is Verdict.ALIVE or not is_locked):
            refuse_living(place, *found)


@contextlib.contextmanager
def _named_in(file: FileIO, path: Path, me: Holder, leave: bool) -> Iterator[None]:
    """Within the block, the locked file names `me`."""
    try:
        file.truncate(0)
        file.write(to_json(me).encode())
        if named(path) != me:  # whoever had it removed the file: the lock is on one that does not count any more
            raise HeldError(path, None)
        with beating(file.fileno()):
            yield
    finally:
        if not leave and named(path) == me:
            path.unlink(missing_ok=True)
        file.truncate(0)


def _soon_named(path: Path, rest: Rest) -> Holder | None:
    """Who has the lock of `path`; it may have got it only now, with a dead one's name still in the file."""
    found = named(path)
    for _ in range(NAMING_LOOKS):
        if found is not None and seems_alive(path, found):
            break
        rest(NAMING / NAMING_LOOKS)
        found = named(path)
    return found
