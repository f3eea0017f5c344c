"""The Stand-In adapter: low-rank additions to the query, key and value of the identity's tokens.

Source: Stand-In, section 3 of arXiv 2508.07901; `models/set_condition_branch.py` and `LoRALinearLayer` in
`models/wan_video_dit.py` of the reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import torch

from standin_batch.errors import NotReadyError

_KEY = re.compile(r"blocks\.(\d+)\.self_attn\.([qkv])_loras\.(down|up)\.weight")


class AdapterError(NotReadyError):
    """A Stand-In checkpoint that cannot be used with this model."""


@dataclass(frozen=True)
class LowRank:
    """`up @ down`, computed in float32 whatever the activations are, as the reference does.

    Attributes:
        down: [rank, dim], float32.
        up: [dim, rank], float32.
    """

    down: torch.Tensor
    up: torch.Tensor

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Apply to `x` [batch, tokens, dim]; the result has the dtype of `x`."""
        hidden = torch.nn.functional.linear(x.to(self.down.dtype), self.down)
        return torch.nn.functional.linear(hidden, self.up).to(x.dtype)


@dataclass(frozen=True)
class BlockAdapter:
    """The adapter of one DiT block."""

    q: LowRank
    k: LowRank
    v: LowRank


def load_adapter(path: Path, num_blocks: int, dim: int, device: str) -> tuple[BlockAdapter, ...]:
    """Read a Stand-In checkpoint onto `device`, in float32.

    Args:
        path: a `.ckpt` file: a pickle of tensors, perhaps below `state_dict`.
        num_blocks: blocks of the DiT.
        dim: width of the DiT.
        device: where the tensors go.

    Raises:
        AdapterError: if keys are missing or left over, or shapes belong to another model.
    """
    tensors = _read(path)
    blocks: list[dict[str, dict[str, torch.Tensor]]] = [{"q": {}, "k": {}, "v": {}} for _ in range(num_blocks)]
    for key, tensor in tensors.items():
        match = _KEY.fullmatch(key)
        if match is None or int(match[1]) >= num_blocks:
            raise AdapterError(f"{path}: unexpected key {key}", "is it a Stand-In checkpoint for this model?")
        blocks[int(match[1])][match[2]][match[3]] = tensor.to(device=device, dtype=torch.float32)
    return tuple(
        BlockAdapter(**{name: _pair(path, dim, f"blocks.{i}.{name}", parts) for name, parts in block.items()})
        for i, block in enumerate(blocks)
    )


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise AdapterError(f"{path} cannot be read: {error}", "download it again") from error
    tensors = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    if not isinstance(tensors, dict):
        raise AdapterError(f"{path} holds no tensors by name", "is it a Stand-In checkpoint?")
    return tensors


def _pair(path: Path, dim: int, where: str, parts: dict[str, torch.Tensor]) -> LowRank:
    if set(parts) != {"down", "up"}:
        raise AdapterError(f"{path}: {where} is incomplete", "download the checkpoint again")
    down, up = parts["down"], parts["up"]
    if down.shape[1] != dim or up.shape != (dim, down.shape[0]):
        raise AdapterError(
            f"{path}: {where} is {tuple(down.shape)} and {tuple(up.shape)}, the model is {dim} wide",
            "this checkpoint belongs to another model",
        )
    return LowRank(down, up)
