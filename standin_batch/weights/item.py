"""A file that is missing, and who looks on while it comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from standin_batch.weights.download_events import DownloadListener, FileProgress, FileRetried, FileStarted
from standin_batch.weights.fetch import Stopped
from standin_batch.weights.hub import RemoteFile
from standin_batch.weights.sources import Source
from standin_batch.weights.staging import Staging
from standin_batch.weights.stock import Stock

PROGRESS_SECONDS = 0.5
"""A file's progress is told this often."""


@dataclass(frozen=True)
class Item:
    """A file that is missing.

    Attributes:
        source: it is of.
        remote: what the hub says of it.
        revision: commit, or address.
        target: its final place.
        file: that, below the root.
    """

    source: Source
    remote: RemoteFile
    revision: str
    target: Path
    file: str


def item_of(root: Path, stocked: Stock, remote: RemoteFile, revision: str) -> Item:
    """The item of `remote`, in the folder of the set that it belongs to."""
    target = stocked.folder / remote.name
    return Item(stocked.need.source, remote, revision, target, target.relative_to(root).as_posix())


class FileWatch:
    """Tells how far a file is, not too often, and ends it when all is stopped."""

    def __init__(self, item: Item, tell: DownloadListener, stop: threading.Event) -> None:
        self._item, self._tell, self._stop = item, tell, stop
        self._told = time.monotonic()

    def begin(self, done: int) -> None:
        """The file begins with so many bytes.

        Raises:
            Stopped: if all is stopped already.
        """
        if self._stop.is_set():
            raise Stopped
        self._tell(FileStarted(self._item.file, self._item.remote.size, done))

    def at(self, done: int) -> None:
        """As `Watch.at`."""
        if self._stop.is_set():
            raise Stopped
        if time.monotonic() - self._told >= PROGRESS_SECONDS:
            self._told = time.monotonic()
            self._tell(FileProgress(self._item.file, self._item.remote.size, done))

    def again(self, reason: str, pause: float) -> None:
        """As `Watch.again`."""
        self._tell(FileRetried(self._item.file, reason, pause))
        if self._stop.wait(pause):
            raise Stopped


def by_content(place: Staging, items: Iterable[Item]) -> list[list[Item]]:
    """Items of the same content together: it comes once. The largest first, so that no large one is left at the end."""
    groups: dict[Path, list[Item]] = {}
    for item in items:
        groups.setdefault(place.part(item.remote), []).append(item)
    return sorted(groups.values(), key=lambda group: -(group[0].remote.size or 0))
