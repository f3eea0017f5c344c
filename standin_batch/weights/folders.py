"""The folder of each source: below the root by our name or the hub's, else in the hub's own cache."""

from __future__ import annotations

from pathlib import Path

from standin_batch.weights.sources import Source


def folder_of(root: Path, name: str, source: Source | None) -> Path:
    """Where the files of `source` are; the place below `root` where they should be if they are nowhere.

    Args:
        root: of the checkpoints.
        name: of the folder below it.
        source: where they come from; None for files made here.
    """
    if source is None or not source.repository:
        return root / name
    names = (name, source.repository.rpartition("/")[2], source.repository)
    found = next((root / each for each in names if (root / each).is_dir()), None)
    return found or _cached(source) or root / name


def _cached(source: Source) -> Path | None:
    """The snapshot of `source` in the hub's cache, by what its revision was when it was last downloaded."""
    from huggingface_hub.constants import HF_HUB_CACHE

    repository = Path(HF_HUB_CACHE) / f"models--{source.repository.replace('/', '--')}"
    try:
        commit = (repository / "refs" / source.revision).read_text().strip()
    except OSError:
        commit = source.revision
    snapshot = repository / "snapshots" / commit
    return snapshot if snapshot.is_dir() else None
