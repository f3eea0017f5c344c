"""Needed weights are brought below a root of checkpoints: found on this machine or fetched, verified, then named.

Nothing has its final name before its digest is right. A second call asks only for what is missing, and goes on inside
a file where the first one stopped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from standin_batch.digests import DigestCache
from standin_batch.errors import NotReadyError, StandinError
from standin_batch.files import remove_temporaries
from standin_batch.weights import staging
from standin_batch.weights.download_events import (
    DownloadEvent,
    DownloadFinished,
    DownloadListener,
    DownloadStarted,
    DownloadWarned,
    FileChecked,
    FileDone,
    FileFailed,
    Waiting,
)
from standin_batch.weights.elsewhere import find, find_set
from standin_batch.weights.fetch import Stopped, StorageError, fetch
from standin_batch.weights.hub import HubError, RemoteFile, headers
from standin_batch.weights.item import FileWatch, Item, by_content, item_of
from standin_batch.weights.ledger import Entry, Ledger, now
from standin_batch.weights.missing import Missing
from standin_batch.weights.needs import Need
from standin_batch.weights.staging import Staging
from standin_batch.weights.stock import Stock, has_content, stock

AT_ONCE = 4
"""Files that come at the same time."""


class DownloadFailed(NotReadyError):
    """Some files could not be had."""


def download(
    needs: Iterable[Need],
    root: Path,
    emit: DownloadListener,
    *,
    folders: Sequence[Path] = (),
    at_once: int = AT_ONCE,
    cache: DigestCache | None = None,
) -> DownloadFinished:
    """Bring the files that `needs` ask for below `root`; one process at a time does.

    Args:
        needs: sets of files.
        root: of the checkpoints.
        emit: is told what happens, by one thread at a time.
        folders: where files are looked for first; those are linked, not copied. So is what the hub's cache has.
        at_once: files that come at the same time.
        cache: remembers digests; this user's unless given.

    Raises:
        HubError: if the hub cannot say what there is, and not all is on this machine.
        NoRoom: if the disk is too small.
        StorageError: if it cannot be written to.
        DownloadFailed: if files could not be had; the others are here.
    """
    place = Staging(root)
    at_work = _Download(root, place, emit, folders, at_once, cache or DigestCache.default())
    with place.held(lambda: emit(Waiting(str(root)))):
        try:
            return at_work.run(tuple(needs))
        except OSError as error:
            cure = f"df -h {root}; ls -ld {root}  # room, and the right to write there"
            raise StorageError(f"{error.filename or root}: {error.strerror or error}", cure) from error


@dataclass
class _Download:
    root: Path
    staging: Staging
    emit: DownloadListener
    folders: Sequence[Path]
    at_once: int
    cache: DigestCache
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _errors: dict[str, StandinError] = field(default_factory=dict)
    _linked: int = 0
    _fetched: int = 0

    def __post_init__(self) -> None:
        self._missing = Missing(self.root, self.tell)

    def run(self, needs: Sequence[Need]) -> DownloadFinished:
        start = time.monotonic()
        stocks = stock(self.root, needs)
        for folder in {each.folder for each in stocks}:
            remove_temporaries(folder)
        here = sum(len(each.here) for each in stocks)
        missing = [item for each in stocks if not each.complete for item in self._items(each)]
        groups = by_content(self.staging, [item for item in missing if not self._found(item)])
        self._require_room(groups)
        self.tell(self._started(groups, here))
        self._fetch_all(groups)
        finished = DownloadFinished(
            str(self.root), self._fetched, self._linked, here, len(self._errors), round(time.monotonic() - start, 1)
        )
        self.tell(finished)
        if self._errors:
            raise self._failed()
        return finished

    def tell(self, event: DownloadEvent) -> None:
        with self._lock:
            self.emit(event)

    def watch(self, item: Item) -> FileWatch:
        return FileWatch(item, self.tell, self._stop)

    def _items(self, stocked: Stock) -> list[Item]:
        """The missing files of a set; where the hub cannot be asked, what this machine has must do."""
        try:
            return self._missing.of(stocked)
        except HubError as error:
            self._link_unasked(stocked, error)
            return []

    def _link_unasked(self, stocked: Stock, error: HubError) -> None:
        source, files = stocked.need.source, stocked.need.files
        found = find_set(source, files, self.folders)
        if not found:
            raise error
        told = f"{files.what}: linked without comparing, because {error.message}"
        self.tell(DownloadWarned(told, "run the same command with a network after removing the links, to compare them"))
        for name, path in found.items():
            self._take(item_of(self.root, stocked, RemoteFile(name, ""), ""), path, staging.link)

    def _found(self, item: Item) -> bool:
        """Whether a file is on this machine already, and has been linked."""
        if (twin := self._twin(item)) is not None:
            self._take(item, twin, staging.share)
            return True
        path = find(item.source, item.remote.name, self.folders, item.revision)
        if path is None:
            return False
        self.tell(FileChecked(item.file))
        if not _is_same(path, item.remote, self.cache):
            self.tell(DownloadWarned(f"{path} is another file than {item.remote.name} on the hub, which comes instead"))
            return False
        self._take(item, path, staging.link)
        return True

    def _twin(self, item: Item) -> Path | None:
        """A file of the same content that was downloaded for another source: Wan2.1 and 2.2 share their T5 and VAE."""
        for entry in Ledger(self.root).entries().values():
            path = self.root / entry.file
            if entry.sha256 == item.remote.sha256 and path != item.target and has_content(path):
                return path
        return None

    def _take(self, item: Item, path: Path, put: Callable[[Path, Path], None]) -> None:
        put(path, item.target)
        sha256 = self.cache.sha256(path)
        self._note(item, sha256)
        self._linked += 1
        self.tell(FileDone(item.file, path.stat().st_size, sha256, str(path)))

    def _note(self, item: Item, sha256: str) -> None:
        size = item.target.stat().st_size
        entry = Entry(item.file, item.source.name, item.source.repository, item.revision, size, sha256, now())
        with self._lock:
            Ledger(self.root).add(entry)

    def _require_room(self, groups: Sequence[Sequence[Item]]) -> None:
        firsts = [group[0].remote for group in groups]
        # The size of a release asset is known from its table only.
        self.staging.require_room(sum(max(0, (remote.size or 0) - self.staging.arrived(remote)) for remote in firsts))

    def _started(self, groups: Sequence[Sequence[Item]], here: int) -> DownloadStarted:
        firsts = [group[0].remote for group in groups]
        size = sum(remote.size or 0 for remote in firsts)
        resumed = sum(self.staging.arrived(remote) for remote in firsts)
        return DownloadStarted(str(self.root), len(groups), size, resumed, here)

    def _fetch_all(self, groups: Sequence[Sequence[Item]]) -> None:
        with ThreadPoolExecutor(self.at_once) as pool:
            try:
                for done in as_completed([pool.submit(self._try, group) for group in groups]):
                    done.result()
            except BaseException:
                self._stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _try(self, group: Sequence[Item]) -> None:
        item = group[0]
        try:
            self._fetch(item)
            for twin in group[1:]:
                self._take(twin, item.target, staging.share)
        except Stopped:
            return
        except OSError as error:
            self._fail(item, StorageError(f"{item.target}: {error.strerror or error}", f"df -h {item.target.parent}"))
        except StandinError as error:
            self._fail(item, error)

    def _fetch(self, item: Item) -> None:
        part = self.staging.part(item.remote)
        watch = self.watch(item)
        watch.begin(self.staging.arrived(item.remote))
        fetch(item.remote.url, part, watch, size=item.remote.size, headers=headers(item.remote))
        self.tell(FileChecked(item.file))
        sha256 = staging.verified(part, item.remote)
        staging.install(part, item.target)
        with self._lock:
            self.cache.remember(item.target, sha256)
            self._fetched += 1
        self._note(item, sha256)
        self.tell(FileDone(item.file, item.target.stat().st_size, sha256))

    def _fail(self, item: Item, error: StandinError) -> None:
        with self._lock:
            self._errors[item.file] = error
        if isinstance(error, StorageError):
            # A full disk is full for all.
            self._stop.set()
        self.tell(FileFailed(item.file, error.message, error.hint))

    def _failed(self) -> DownloadFailed:
        first = next(iter(self._errors.values()))
        return DownloadFailed(f"not all files could be had: {', '.join(self._errors)}", first.hint)


def _is_same(path: Path, remote: RemoteFile, cache: DigestCache) -> bool:
    """Whether a file on this machine is what the hub says: its digest has to be known for planning anyway."""
    if remote.size is not None and path.stat().st_size != remote.size:
        return False
    if remote.sha256 is not None:
        return cache.sha256(path) == remote.sha256
    return staging.digests(path)[1] == remote.git_sha1 if remote.git_sha1 else staging.opens(path)
