"""The lock of file systems that have none: a file that only one process can make, which names it.

Unlike the kernel's lock it stays behind when its process is killed. Whether that is so is judged as `verdict` says, and
then taken over; of two that do so at once, the last one's name is in the file, and both look again.
"""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from standin_batch.files import TEMPORARY_PREFIX
from standin_batch.locks.heartbeat import Rest, beating, is_touched
from standin_batch.locks.held import refuse_living
from standin_batch.locks.holder import MAX_BYTES, Holder, named, to_json
from standin_batch.locks.verdict import judged

MOMENT = 1.0
"""Seconds after which somebody who took over at the same time has done so."""


def file_of(path: Path) -> Path:
    """The file that takes the place of the lock `path`."""
    return path.with_name(f"{path.name}.holder")


@contextlib.contextmanager
def made(path: Path, me: Holder, rest: Rest = time.sleep) -> Iterator[None]:
    """Within the block the file `path` is there and names `me`.

    Args:
        path: the file.
        me: this process.
        rest: waits between two looks.

    Raises:
        HeldError: if it names somebody else who may live.
    """
    descriptor = _obtained(path, me, rest)
    try:
        with beating(descriptor):
            yield
    finally:
        _given_back(path, me, descriptor)


def _obtained(path: Path, me: Holder, rest: Rest) -> int:
    while True:
        with contextlib.suppress(FileExistsError):
            return _written(path, me)
        before = _content(path)
        found = judged(path, rest)
        if found is not None:
            refuse_living(path, *found)
        elif before is None or is_touched(path, rest):  # gone, or a name is being written into it
            continue
        descriptor = None if before is None else _taken_over(path, before, me, rest)
        if descriptor is not None:
            return descriptor


def _taken_over(path: Path, before: bytes, me: Holder, rest: Rest) -> int | None:
    """The open file, if it was taken over from a dead holder, and from nobody else."""
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}")
    descriptor, is_mine = _written(temporary, me), False
    try:
        if _content(path) == before:
            temporary.replace(path)
            rest(MOMENT)
            is_mine = named(path) == me
        return descriptor if is_mine else None
    finally:
        temporary.unlink(missing_ok=True)
        if not is_mine:
            _given_back(path, me, descriptor)


def _given_back(path: Path, me: Holder, descriptor: int) -> None:
    os.close(descriptor)
    if named(path) == me:
        path.unlink(missing_ok=True)


def _written(path: Path, me: Holder) -> int:
    """The file `path`, which was not there, open and with the name of `me` down on the disk."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666)
    try:
        os.write(descriptor, to_json(me).encode())
        os.fsync(descriptor)
    except OSError:
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise
    return descriptor


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except FileNotFoundError:
        return None
