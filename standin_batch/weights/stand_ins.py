"""Converted files in the place of their originals: when they may stand in, and whose content they count as."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from standin_batch.digests import DigestCache
from standin_batch.errors import NotReadyError
from standin_batch.weights.conversions import BFLOAT16, Converted, converted, is_current


class RoundedError(NotReadyError):
    """Weights that were rounded when they were converted, where that would show."""


def stand_ins(shards: Sequence[Path], dtype: str) -> tuple[Path, ...]:
    """What to load for `shards`: the converted file of each, where a computation in `dtype` is the same with it.

    In bfloat16 it always is, for the original would be rounded when it is loaded; in float32 only if no value was.

    Raises:
        RoundedError: if only a rounded file is left, and `dtype` is not bfloat16.
    """
    return tuple(_stand_in(shard, dtype) for shard in shards)


def _stand_in(shard: Path, dtype: str) -> Path:
    entry = _entry(shard)
    if entry is None or dtype == BFLOAT16 or entry.exact:
        return shard if entry is None else entry.path
    if shard == entry.path:
        raise RoundedError(
            f"{shard} was rounded to bfloat16, and its original is gone: jobs in {dtype} would be others",
            "write `dtype: bfloat16`, or download the original again",
        )
    return shard


def source_sha256(path: Path, cache: DigestCache) -> str:
    """SHA-256 of what `path` was made from, so that converting changes no job's id; of itself if it is an original."""
    entry = _entry(path)
    return entry.source_sha256 if entry is not None and entry.path == path else cache.sha256(path)


def _entry(path: Path) -> Converted | None:
    """The conversion that `path` is the original or the result of."""
    folder = path.parent.parent if path.parent.name == BFLOAT16 else path.parent
    for name, entry in converted(folder).items():
        if path in (folder / name, entry.path):
            return entry if _holds(folder / name, entry) else None
    return None


def _holds(original: Path, entry: Converted) -> bool:
    """Whether the original is gone, or still what was converted."""
    return not original.exists() or is_current(original, entry, DigestCache.default())
