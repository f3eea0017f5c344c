"""A folder on a disk of this node that files are copied to, so that a network is read once for all workers of a node.

    STAGE/KEY/NAME    a copy, under its own name, as loaders go by names
    STAGE/KEY.json    what it was copied from: path, size and time of change of each file
    STAGE/lock        one process copies at a time

The key is made of what the record says, so a file that changes gets another copy. A copy has its name only when it is
whole. Which files a model loads is said in `staged`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from standin_batch.digests import DigestCache
from standin_batch.errors import NotReadyError
from standin_batch.files import remove_temporaries, replace_atomic, write_atomic
from standin_batch.fingerprint import digest
from standin_batch.locks.holder import Holder
from standin_batch.locks.lock import exclusive
from standin_batch.weights.staging import margin

OTHERS = stat.S_IWGRP | stat.S_IWOTH
"""That others may write."""

KEY = re.compile(r"[0-9a-f]{16}\Z")
RECORD = ".json"


class StageError(NotReadyError):
    """Files cannot be copied to this node."""


@dataclass(frozen=True)
class Original:
    """A file as it was found.

    Attributes:
        path: without links.
        name: that it is loaded by.
        size: in bytes.
        mtime_ns: its time of change.
    """

    path: str
    name: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> Original:
        """The file at `path`.

        Raises:
            OSError: if it cannot be looked at.
        """
        real = path.resolve()
        status = real.stat()
        return cls(str(real), path.name, status.st_size, status.st_mtime_ns)

    @property
    def is_current(self) -> bool:
        """Whether the file is still this one; also where that cannot be found out."""
        try:
            status = Path(self.path).stat()
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return (status.st_size, status.st_mtime_ns) == (self.size, self.mtime_ns)


@dataclass(frozen=True)
class Bundle:
    """Files of one folder that are loaded together; most are one file."""

    originals: tuple[Original, ...]

    @classmethod
    def of(cls, paths: Iterable[Path]) -> Bundle:
        """The files at `paths`; raises as `Original.of` does."""
        return cls(tuple(Original.of(path) for path in paths))

    @property
    def key(self) -> str:
        """What its copy is called."""
        return digest([asdict(original) for original in self.originals])[:16]

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(original.size for original in self.originals)


@dataclass(frozen=True)
class Stage:
    """The folder.

    Attributes:
        folder: made with the first copy.
        cache: remembers what files contain: a copy is the same as its original.
    """

    folder: Path
    cache: DigestCache

    def place(self, bundle: Bundle) -> Path:
        """The folder of a copy, whether it is there or not."""
        return self.folder / bundle.key

    def has(self, bundle: Bundle) -> bool:
        """Whether a bundle is here, whole."""
        return all(_is_copied(self.place(bundle), original) for original in bundle.originals)

    @contextlib.contextmanager
    def held(self, wait: Callable[[Holder | None], object]) -> Iterator[None]:
        """Within the block, no other process copies; what a killed one left is gone.

        Args:
            wait: is told who is at it, and then that is waited for.

        Raises:
            HeldError: if somebody holds the lock who gives no sign of life.
            OSError: if nothing can be written there.
        """
        with exclusive(self.folder / "lock", wait):
            remove_temporaries(self.folder)
            yield

    def keep_ours(self) -> None:
        """Have nobody else write into the folder: what lies in it becomes weights, and is known by names and sizes.

        Raises:
            StageError: if it is another user's.
            OSError: if it cannot be made.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        status = self.folder.stat(follow_symlinks=False)
        if status.st_uid != os.getuid():
            raise StageError(f"{self.folder} is another user's", "let `stage_to` name a folder of your own")
        if status.st_mode & OTHERS:
            self.folder.chmod(status.st_mode & ~OTHERS & 0o7777)

    def make_room(self, needed: int) -> None:
        """Have room for `needed` bytes: where there is too little, copies go whose originals are gone or have changed.

        Raises:
            StageError: if there is still too little; nothing else is removed, as others may be reading it.
        """
        if self._lacks(needed):
            self._remove_stale()
        if lacking := self._lacks(needed):
            told = f"{self.folder} has too little room for {needed / 1e9:,.1f} GB of weights"
            raise StageError(told, f"make {lacking / 1e9:,.1f} GB of room there, or name another folder in `stage_to`")

    def copy(self, bundle: Bundle) -> None:
        """Copy what is missing of a bundle, down to the disk.

        Raises:
            StageError: if an original changes meanwhile.
            OSError: if one cannot be read, or nothing can be written.
            DiskFullError: if there is no room.
        """
        # First, so that the next one knows what a killed one began.
        write_atomic(self._record(bundle.key), json.dumps([asdict(each) for each in bundle.originals], indent=2) + "\n")
        for original in bundle.originals:
            if not _is_copied(self.place(bundle), original):
                self._copy(original, self.place(bundle) / original.name)

    def _copy(self, original: Original, target: Path) -> None:
        with replace_atomic(target) as temporary:
            shutil.copyfile(original.path, temporary)
            os.utime(temporary, ns=(original.mtime_ns, original.mtime_ns))
            if temporary.stat().st_size != original.size or not original.is_current:
                raise StageError(f"{original.path} changed while it was copied", "run the same command again")
        if (known := self.cache.known(Path(original.path))) is not None:
            self.cache.remember(target, known)

    def _lacks(self, needed: int) -> int:
        """Bytes that are missing on the disk."""
        return max(0, needed + margin(needed) - shutil.disk_usage(self.folder).free)

    def _remove_stale(self) -> None:
        for folder in self.folder.iterdir():
            if KEY.match(folder.name) and folder.is_dir() and not self._is_current(folder.name):
                shutil.rmtree(folder)
                self._record(folder.name).unlink(missing_ok=True)

    def _is_current(self, key: str) -> bool:
        """Whether all originals of a copy are still what was copied."""
        try:
            written = json.loads(self._record(key).read_text(encoding="utf-8"))
            return all(Original(**fields).is_current for fields in written)
        except (OSError, ValueError, TypeError):
            return False

    def _record(self, key: str) -> Path:
        return self.folder / f"{key}{RECORD}"


def _is_copied(folder: Path, original: Original) -> bool:
    """Whether a copy is there: one that has its name is whole, and the size tells what somebody else cut off."""
    copied = folder / original.name
    return copied.is_file() and copied.stat().st_size == original.size
