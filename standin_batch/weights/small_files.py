"""How the files of a small model are written: as the hub has those of the large ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from standin_batch.files import write_atomic

if TYPE_CHECKING:
    import torch


def write_shards(folder: Path, tensors: Mapping[str, torch.Tensor], count: int = 1) -> None:
    """Write safetensors shards, named and filled in order as the hub's are; one alone has no number.

    Args:
        folder: made if need be.
        tensors: by name.
        count: of shards.
    """
    from safetensors.torch import save

    names = sorted(tensors)
    for name, chunk in zip(_shard_names(count), _chunks(names, -(-len(names) // count)), strict=True):
        write_atomic(folder / name, save({each: tensors[each] for each in chunk}, metadata={"format": "pt"}))


def write_pickle(path: Path, content: object) -> None:
    """Write a pickle as torch does; the folder is made if need be."""
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)


def _shard_names(count: int) -> list[str]:
    stem = "diffusion_pytorch_model"
    numbered = [f"{stem}-{index:05d}-of-{count:05d}.safetensors" for index in range(1, count + 1)]
    return numbered if count > 1 else [f"{stem}.safetensors"]


def _chunks(names: list[str], size: int) -> Iterable[list[str]]:
    return (names[start : start + size] for start in range(0, len(names), size))
