"""Files that are either whole or absent, and what they contain.

Every write to a final name goes through `write_atomic` or `replace_atomic`: a temporary file in the same folder,
flushed to the disk, then renamed. A reader never sees half a file, also after a power cut or on a full disk.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from standin_batch.errors import NotReadyError

TEMPORARY_PREFIX = ".tmp-"

FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system says where there is no room: on the disk, or within a user's quota."""


class DiskFullError(NotReadyError):
    """There is no room for a file."""


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write `content` to `path`, whole or not at all; parent folders are made."""
    with replace_atomic(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def replace_atomic(path: Path) -> Iterator[Path]:
    """A temporary path with the suffix of `path`, renamed onto it when the block ends well and removed otherwise.

    Raises:
        DiskFullError: if there is no room for it.
    """
    with _room_for(path), _replaced(path) as temporary:
        yield temporary


@contextlib.contextmanager
def _room_for(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        cure = "make room (df -h tells how much there is), and run the same command again: nothing is lost"
        raise DiskFullError(f"{path} cannot be written: {error.strerror}", cure) from error


@contextlib.contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _temporary(path) as temporary:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}-{path.name}")
    try:
        yield temporary
    finally:
        with contextlib.suppress(OSError):  # the next run removes it
            temporary.unlink(missing_ok=True)


def check_room(folder: Path, size: int) -> None:
    """Whether `size` bytes can be written in `folder`, by doing so: quotas are not in what the file system tells.

    Raises:
        DiskFullError: if they cannot.
    """
    probe = folder / "probe"
    with _room_for(probe), _temporary(probe) as temporary:
        temporary.write_bytes(bytes(size))
        _sync(temporary)


def remove_temporaries(folder: Path, *, below: bool = True) -> None:
    """Remove what a killed run left behind in `folder`, and `below` it."""
    pattern = f"{TEMPORARY_PREFIX}*"
    for path in folder.rglob(pattern) if below else folder.glob(pattern):
        if path.is_file():
            path.unlink(missing_ok=True)


def sha256_file(path: Path) -> str:
    """SHA-256 of the content of `path`, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        if hasattr(hashlib, "file_digest"):
            return hashlib.file_digest(file, "sha256").hexdigest()
        found = hashlib.sha256()
        while chunk := file.read(1 << 20):
            found.update(chunk)
        return found.hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
