"""Whether a module's checkpoint holds the very base that another checkpoint is: by digest, looked at once.

VACE was trained beside a frozen base, so its checkpoint should hold the text-to-video base, tensor for tensor; then one
loaded base serves both. That is checked here, not assumed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from standin_batch.digests import DigestCache
from standin_batch.weights.header import TensorInfo, read_header
from standin_batch.weights.streaming import read_range


def same_base(base: Sequence[Path], checkpoint: Sequence[Path], prefix: str, cache: DigestCache) -> bool:
    """Whether the tensors of `base` are those of `checkpoint` whose names do not begin with `prefix`, to the bit.

    Names and shapes are compared first, from the headers; data only where those agree. However large the checkpoints
    are, their data are read once: `cache` remembers.

    Args:
        base: safetensors shards.
        checkpoint: safetensors shards.
        prefix: of the names of the tensors that are not the base's.
        cache: of this user.

    Raises:
        HeaderError: if a file is no safetensors file.
        OSError: if a file cannot be read.
    """
    if _outline(base, prefix) != _outline(checkpoint, prefix):
        return False
    return _tensors_digest(base, prefix, cache) == _tensors_digest(checkpoint, prefix, cache)


def has_no_base(checkpoint: Sequence[Path], prefix: str) -> bool:
    """Whether all tensors of `checkpoint` have names that begin with `prefix`: a module by itself.

    Raises:
        HeaderError: if a file is no safetensors file.
        OSError: if a file cannot be read.
    """
    return not _tensors(checkpoint, prefix)


def _outline(shards: Sequence[Path], prefix: str) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(name, info.dtype, info.shape) for name, _, info in _tensors(shards, prefix)]


def _tensors(shards: Sequence[Path], prefix: str) -> list[tuple[str, Path, TensorInfo]]:
    """The base's tensors by name, whichever shard they are in."""
    found = ((name, path, info) for path in shards for name, info in read_header(path).tensors.items())
    return sorted((item for item in found if not item[0].startswith(prefix)), key=lambda item: item[0])


def _tensors_digest(shards: Sequence[Path], prefix: str, cache: DigestCache) -> str:
    def compute() -> str:
        whole = hashlib.sha256()
        for name, path, info in _tensors(shards, prefix):
            data = hashlib.sha256()
            for chunk in read_range(path, info.start, info.end):
                data.update(chunk)
            whole.update(f"{name} {data.hexdigest()}\n".encode())
        return whole.hexdigest()

    return cache.of_several(f"tensors without {prefix}", shards, compute)
