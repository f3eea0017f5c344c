"""Where files lie until they are whole and verified: `ROOT/.incoming/`, on the same disk as their final places.

A staged file is named after its content, so that what a killed download had of it is found again, also for another
source; it gets its final name by a rename. One process at a time is at work here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from standin_batch.errors import NotReadyError
from standin_batch.files import TEMPORARY_PREFIX, replace_atomic
from standin_batch.locks.held import HeldError
from standin_batch.locks.lock import exclusive
from standin_batch.weights.fetch import CHUNK
from standin_batch.weights.hub import RemoteFile

INCOMING = ".incoming"
MARGIN_SHARE, MARGIN_BYTES = 0.01, 64 * 10**6
"""Of the disk stay free: for the file system's own needs, the records, and whoever else writes there."""

LEGACY_PICKLE = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e"
"""What torch before 1.6 begins its files with: a pickle of its magic number (torch/serialization.py)."""


class DigestError(NotReadyError):
    """What came is not what was promised."""


class NoRoom(NotReadyError):
    """The disk is too small for what is to come."""


@dataclass(frozen=True)
class Staging:
    """The staging folder of one root of checkpoints.

    Attributes:
        root: of the checkpoints.
    """

    root: Path

    @property
    def folder(self) -> Path:
        """The folder itself."""
        return self.root / INCOMING

    def part(self, remote: RemoteFile) -> Path:
        """Where `remote` lies while it comes."""
        content = remote.sha256 or remote.git_sha1 or hashlib.sha256(remote.url.encode()).hexdigest()
        return self.folder / f"{content}.part"

    def arrived(self, remote: RemoteFile) -> int:
        """Bytes of `remote` that an earlier download has left here."""
        part = self.part(remote)
        return part.stat().st_size if part.is_file() else 0

    @contextlib.contextmanager
    def held(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Within the block, no other process is within such a block for the same root.

        Args:
            waiting: is called before waiting for another process.

        Raises:
            NotReadyError: if nothing can be written there.
        """
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(exclusive(self.folder / "lock", lambda _: waiting()))
            except HeldError as error:
                raise NotReadyError(error.message, error.hint) from error
            except OSError as error:
                raise NotReadyError(
                    f"{self.folder} cannot be made: {error.strerror}", "name another: --checkpoints DIR"
                ) from error
            yield

    def require_room(self, needed: int) -> None:
        """Refuse to begin what cannot end.

        Raises:
            NoRoom: if fewer than `needed` bytes and a margin are free.
        """
        free = shutil.disk_usage(self.folder).free
        if needed and free < needed + margin(needed):
            raise NoRoom(
                f"{needed / 1e9:.2f} GB are to come into {self.root} and {free / 1e9:.2f} GB are free there; "
                f"{margin(needed) / 1e9:.2f} GB have to stay free",
                f"make room (df -h {self.root}), or name a folder on another disk: --checkpoints DIR",
            )


def margin(needed: int) -> int:
    """Bytes that have to stay free beside `needed`."""
    return int(needed * MARGIN_SHARE) + MARGIN_BYTES


def verified(part: Path, remote: RemoteFile) -> str:
    """SHA-256 of `part`, which is removed if it is not what `remote` says.

    Of a release asset no digest is known: that it is not empty and opens, sum by sum, is all that can be looked at.

    Raises:
        DigestError: naming what was expected and what came.
    """
    size = part.stat().st_size
    sha256, git_sha1 = digests(part)
    for what, expected, found in (
        ("bytes", remote.size, size),
        ("SHA-256", remote.sha256, sha256),
        ("git SHA-1", remote.git_sha1, git_sha1),
    ):
        if expected is not None and expected != found:
            part.unlink()
            raise DigestError(f"{remote.name} came with {what} {found}, expected {expected}; it was deleted", _AGAIN)
    if remote.sha256 is None and remote.git_sha1 is None and not opens(part):
        part.unlink()
        raise DigestError(f"{remote.url} gave {size} bytes that are no file of torch; they were deleted", _AGAIN)
    return sha256


_AGAIN = "run the same command again: it fetches that file anew"


def digests(path: Path) -> tuple[str, str]:
    """SHA-256, and the SHA-1 that git gives to a file (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects)."""
    sha256, git = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)
    git.update(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            sha256.update(chunk)
            git.update(chunk)
    return sha256.hexdigest(), git.hexdigest()


def install(part: Path, target: Path) -> None:
    """Give a whole file its final name, down to the disk."""
    with replace_atomic(target) as temporary:
        # A rename, or a copy where the folder of `target` is a link to another disk.
        shutil.move(part, temporary)


def link(found: Path, target: Path) -> None:
    """Make `target` a symbolic link to `found`, at once."""
    with _beside(target) as temporary:
        temporary.symlink_to(found.absolute())


def share(found: Path, target: Path) -> None:
    """Make `target` another name of `found`: either can be removed without the other. A link where that cannot be."""
    with _beside(target) as temporary:
        try:
            os.link(found.resolve(), temporary)
        except OSError:
            temporary.symlink_to(found.absolute())


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A name in the folder of `target`, which becomes `target` at the end of the block."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}-{target.name}")
    temporary.unlink(missing_ok=True)
    yield temporary
    temporary.replace(target)


def opens(path: Path) -> bool:
    """Whether `path` is a file of torch as far as can be told without its pickles: a whole zip, or the old format."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    with path.open("rb") as file:
        return file.read(len(LEGACY_PICKLE)) == LEGACY_PICKLE
