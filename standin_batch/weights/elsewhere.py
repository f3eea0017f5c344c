"""Files that are on this machine already, outside the root: in folders that a person names, and in the hub's cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from standin_batch.weights.sources import FileSet, Source
from standin_batch.weights.stock import has_content, present


def find(source: Source, name: str, folders: Sequence[Path], revision: str) -> Path | None:
    """A file of `source` in one of `folders` or in the hub's cache; None if it is in none.

    Args:
        source: of the file.
        name: its path below the repository.
        folders: each may be the source's own, or hold it by our name or the hub's.
        revision: the commit that the cache is asked for.
    """
    there = (place / name for folder in folders for place in _places(folder, source))
    return next((path for path in there if has_content(path)), None) or _cached(source, name, revision)


def find_set(source: Source, files: FileSet, folders: Sequence[Path]) -> dict[str, Path]:
    """All files of a set by name, from one place, where nobody can be asked which they are; empty if none has all."""
    places = [place for folder in folders for place in _places(folder, source)]
    for place in (*places, *_snapshots(source)):
        found = present(place, files)
        if len(found) >= files.count:
            return found
    return {}


def _places(folder: Path, source: Source) -> tuple[Path, ...]:
    names = (source.folder, source.repository.rpartition("/")[2], source.repository)
    return (*(folder / name for name in names if name), folder)


def _cached(source: Source, name: str, revision: str) -> Path | None:
    if not source.repository:
        return None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(source.repository, name, revision=revision)
    return Path(found) if isinstance(found, str) and has_content(Path(found)) else None


def _snapshots(source: Source) -> tuple[Path, ...]:
    """Commits of `source` in the hub's cache, the newest first."""
    if not source.repository:
        return ()
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE) / f"models--{source.repository.replace('/', '--')}" / "snapshots"
    found = folder.iterdir() if folder.is_dir() else iter(())
    return tuple(sorted(found, key=lambda path: path.stat().st_mtime, reverse=True))
