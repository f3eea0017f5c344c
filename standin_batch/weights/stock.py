"""What of the needed weights is here already, and what is left to fetch: looked at without asking anybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from standin_batch.weights.folders import folder_of
from standin_batch.weights.ledger import Entry, Ledger
from standin_batch.weights.mistaken import mistaken
from standin_batch.weights.needs import Need
from standin_batch.weights.sources import FileSet, Source


@dataclass(frozen=True)
class Stock:
    """One needed set of files, and what is here of it.

    Attributes:
        need: the set.
        folder: where its source's files go.
        here: its files that are here, by their names below the repository.
        left: bytes that are still to come, as known without asking.
    """

    need: Need
    folder: Path
    here: Mapping[str, Path]
    left: int

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return len(self.here) >= self.need.files.count


def stock(root: Path, needs: Iterable[Need]) -> tuple[Stock, ...]:
    """Look below `root` for what `needs` ask for.

    A file is here if it has the size that the ledger says or, unknown to the ledger, any content.
    """
    entries = Ledger(root).entries()
    return tuple(_stock(root, need, entries) for need in needs)


def home(root: Path, source: Source) -> Path:
    """Where the files of `source` go: below `root`, by the hub's name where such a folder is there and ours is not."""
    found = folder_of(root, source.folder, source)
    return found if found.is_relative_to(root) else root / source.folder


def chosen(files: FileSet, names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that belong to `files`: by its first pattern that any has."""
    names = sorted(names)
    found = (tuple(name for name in names if matches(name, pattern)) for pattern in files.names)
    return next((each for each in found if each), ())


def matches(name: str, pattern: str) -> bool:
    """Whether a path has a pattern, folder by folder: a star stops at a slash."""
    parts, patterns = name.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def present(folder: Path, files: FileSet) -> dict[str, Path]:
    """The files of a set below `folder` that have any content of their own, by name."""
    there = {path.relative_to(folder).as_posix(): path for pattern in files.names for path in folder.glob(pattern)}
    return {name: there[name] for name in chosen(files, there) if has_content(there[name])}


def has_content(path: Path) -> bool:
    """Whether `path` is a file that may be what its name says: not empty, no web page, no pointer of Git LFS."""
    return not mistaken(path)


def _stock(root: Path, need: Need, entries: Mapping[str, Entry]) -> Stock:
    folder = home(root, need.source)
    here = {name: path for name, path in present(folder, need.files).items() if _as_noted(root, path, entries)}
    missing = max(0, need.files.count - len(here))
    return Stock(need, folder, here, need.files.size * missing // need.files.count)


def _as_noted(root: Path, path: Path, entries: Mapping[str, Entry]) -> bool:
    entry = entries.get(path.relative_to(root).as_posix())
    return entry is None or entry.size == path.stat().st_size
