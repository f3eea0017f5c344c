"""Reading ahead: while the last job of a group is made, the files of the next group come into the system's page cache.

Loading them then reads memory. It is a service to the loader, never a duty: what cannot be read is left to it, which
says what is wrong.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType

from standin_batch.environment.memory import available_bytes
from standin_batch.errors import StandinError
from standin_batch.weights.locate import ModelFiles

logger = logging.getLogger(__name__)

SMALLEST = 1 << 30
"""Bytes of a group's files below which nobody reads ahead: loading them takes a second or two."""

SHARE = 0.8
"""Of the memory to spare, the most that files may take: the rest is for the clip at work and for what follows it."""

CHUNK = 8 << 20
"""Bytes between two looks whether to go on."""

LEAST_URGENT = 19
"""Niceness of the thread that reads."""


def is_worth(size: int, available: int | None) -> bool:
    """Whether files of `size` bytes are read ahead, with `available` bytes to spare; None if unknown."""
    return size >= SMALLEST and available is not None and size <= SHARE * available


def files_of(files: ModelFiles, dtype: str) -> tuple[Path, ...]:
    """What a group with these files loads, in the order in which it does."""
    loaded = files.for_dtype(dtype)
    experts = (path for expert in loaded.experts for path in expert.shards)
    modules = (path for shards in loaded.modules.values() for path in shards)
    return (*experts, loaded.vae, *modules)


class ReadAhead:
    """Reads files in a thread of its own, one set of them at a time. Leaving it ends the reading.

    Args:
        is_worth: given the bytes of all files, and those of memory to spare, whether they are read.
    """

    def __init__(self, is_worth: Callable[[int, int | None], bool] = is_worth) -> None:
        self._is_worth = is_worth
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, files: Callable[[], Sequence[Path]]) -> None:
        """Read these, unless there are too few or too many bytes of them.

        Args:
            files: tells which; asked in the thread, as it may have to look into folders.
        """
        self.end()
        self._ended = threading.Event()
        # Not joined at exit: it has nothing to finish.
        self._thread = threading.Thread(target=self._work, args=(files, self._ended), name="read ahead", daemon=True)
        self._thread.start()

    def _work(self, files: Callable[[], Sequence[Path]], ended: threading.Event) -> None:
        if sys.platform == "linux":  # where each thread has a niceness of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LEAST_URGENT)
        try:
            paths = files()
            if self._is_worth(_size(paths), available_bytes()):
                _read(paths, ended)
        except (OSError, StandinError) as error:
            logger.info("the next weights are not read ahead: %s", error)

    def wait(self) -> None:
        """Until all is read."""
        if self._thread is not None:
            self._thread.join()

    def end(self) -> None:
        """Read no more."""
        self._ended.set()
        self.wait()
        self._thread = None

    def __enter__(self) -> ReadAhead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()  # not waited for: a read from a network that hangs must not hold up a run that is to stop


def _size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _read(paths: Iterable[Path], ended: threading.Event) -> None:
    buffer = bytearray(CHUNK)
    for path in paths:
        if ended.is_set():
            return
        with path.open("rb", buffering=0) as file:
            while not ended.is_set() and file.readinto(buffer):
                pass
