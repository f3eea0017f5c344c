"""The engine's pass of the transformer, for batches and with gradients.

`standin_batch.engine` works on one clip, in place and without gradients; this is its arithmetic on the same modules,
identity, VACE and padded prompts included. That both give the same is a test (`tests/unit/training/dit`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from diffsynth.models.wan_video_dit import DiTBlock, WanModel, sinusoidal_embedding_1d
from diffsynth.models.wan_video_vace import VaceWanModel
from torch import nn

from standin_batch.engine.dit.block import KeyValue, modulated, modulations
from standin_batch.engine.dit.rope import Rope, identity_rope
from training.compiler import can_compile

PROMPT_TOKENS = 512
"""Of every prompt: what follows its words are zeros, and the transformer sees them all."""


@dataclass(frozen=True)
class Text:
    """Encoded prompts, short: one row of zeros stands for all that would follow.

    Attributes:
        tokens: [B, L + 1, text_dim]; the last one is zero.
    """

    tokens: torch.Tensor

    @property
    def weights(self) -> torch.Tensor:
        """What to add to logits of cross-attention, [1, 1, 1, L + 1]: the last token counts for all it stands for."""
        bias = torch.zeros(self.tokens.shape[1], device=self.tokens.device)
        bias[-1] = torch.tensor(PROMPT_TOKENS - self.tokens.shape[1] + 1.0).log()
        return bias[None, None, None]

    def __getitem__(self, rows: slice) -> Text:
        return Text(self.tokens[rows])


class LowRankLinear(nn.Module):
    """`up(down(x))`: as a Stand-In adapter adds to a projection.

    Args:
        dim: of what comes in and goes out.
        rank: between.
    """

    def __init__(self, dim: int, rank: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(dim, rank, bias=False), nn.Linear(rank, dim, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, tokens, dim] to the same."""
        found: torch.Tensor = self.up(self.down(x))
        return found


class Adapter(nn.Module):
    """The Stand-In adapter, by the names of its checkpoint.

    Args:
        dit: that it is for.
        rank: of each part.
    """

    def __init__(self, dit: WanModel, rank: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_AdapterBlock(dit.dim, rank) for _ in dit.blocks)


class _AdapterBlock(nn.Module):
    def __init__(self, dim: int, rank: int) -> None:
        super().__init__()
        self.self_attn = nn.ModuleDict({f"{part}_loras": LowRankLinear(dim, rank) for part in "qkv"})


def velocity(
    dit: WanModel,
    latents: torch.Tensor,
    timesteps: torch.Tensor,
    text: Text,
    identity: Sequence[KeyValue] | None = None,
    vace: tuple[VaceWanModel, torch.Tensor] | None = None,
) -> torch.Tensor:
    """What `engine.dit.forward.Forward` gives, for each of a batch.

    Args:
        dit: Wan's transformer.
        latents: [B, 16, T, h, w].
        timesteps: [B], 0 .. 1000.
        text: of the prompts.
        identity: keys and values of its tokens for each block, of B identities.
        vace: the model beside it, and what it is shown: [B, 96, T, h, w].
    """
    embedded = dit.time_embedding(sinusoidal_embedding_1d(dit.freq_dim, timesteps))
    modulation = dit.time_projection(embedded).unflatten(1, (6, dit.dim))
    x = dit.patchify(latents)
    grid = x.shape[2:]
    x = x.flatten(2).transpose(1, 2)
    frames, rows, columns = (table[:length] for table, length in zip(dit.freqs, grid, strict=True))
    rope = Rope.of(frames, rows, columns, x.device)
    context = dit.text_embedding(text.tokens)
    hints = {} if vace is None else _hints(*vace, x, context, text.weights, modulation, rope)
    step = _quick(_block)
    for number, block in enumerate(dit.blocks):
        x = step(block, x, context, text.weights, modulation, rope, None if identity is None else identity[number])
        if number in hints:
            x = x + hints[number]
    found: torch.Tensor = dit.unpatchify(dit.head(x, embedded), grid)
    return found


def identity_of(dit: WanModel, adapter: Adapter | None, latents: torch.Tensor, grid: tuple[int, int]) -> list[KeyValue]:
    """What `engine.identity.identity_kv` gives, for each of a batch.

    Args:
        dit: Wan's transformer.
        adapter: for the identity's tokens.
        latents: of pictures, [B, 16, 1, h, w].
        grid: rows and columns of the video's tokens.
    """
    x = dit.patchify(latents)
    rows, columns = x.shape[-2:]
    x = x.flatten(2).transpose(1, 2)
    rope = identity_rope(dit, grid, rows, columns, x.device)
    zero = torch.zeros(1, device=x.device)
    modulation = dit.time_projection(dit.time_embedding(sinusoidal_embedding_1d(dit.freq_dim, zero)))
    modulation = modulation.unflatten(1, (6, dit.dim))
    found, step = [], _quick(_identity_block)
    for number, block in enumerate(dit.blocks):
        loras: Any = None if adapter is None else adapter.blocks[number].self_attn
        x, keys_values = step(block, loras, x, modulation, rope)
        found.append(keys_values)
    return found


def _quick(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, compiled where gradients are wanted and there is a compiler: a step takes two thirds of the time."""
    return _compiled(function) if torch.is_grad_enabled() and can_compile() else function


@cache
def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    return torch.compile(function, dynamic=False)


def _identity_block(
    block: DiTBlock,
    loras: Any,  # noqa: ANN401
    x: torch.Tensor,
    modulation: torch.Tensor,
    rope: Rope,
) -> tuple[torch.Tensor, KeyValue]:
    shift_msa, scale_msa, gate_msa, shift_mlp, scale_mlp, gate_mlp = modulations(block, modulation)
    attention, y = block.self_attn, modulated(block.norm1(x), shift_msa, scale_msa)
    q, k, v = attention.q(y), attention.k(y), attention.v(y)
    if loras is not None:
        q, k, v = q + loras["q_loras"](y), k + loras["k_loras"](y), v + loras["v_loras"](y)
    q, k = _rotated(rope, attention.norm_q(q)), _rotated(rope, attention.norm_k(k))
    x = x + gate_msa * attention.o(_attend(q, k, v, attention.num_heads))
    return x + gate_mlp * block.ffn(modulated(block.norm2(x), shift_mlp, scale_mlp)), (k, v)


def _block(
    block: DiTBlock,
    x: torch.Tensor,
    context: torch.Tensor,
    weights: torch.Tensor,
    modulation: torch.Tensor,
    rope: Rope,
    identity: KeyValue | None = None,
) -> torch.Tensor:
    shift_msa, scale_msa, gate_msa, shift_mlp, scale_mlp, gate_mlp = modulations(block, modulation)
    attention, y = block.self_attn, modulated(block.norm1(x), shift_msa, scale_msa)
    q, k = _rotated(rope, attention.norm_q(attention.q(y))), _rotated(rope, attention.norm_k(attention.k(y)))
    v = attention.v(y)
    if identity is not None:
        k, v = torch.cat((k, identity[0].to(k)), dim=1), torch.cat((v, identity[1].to(v)), dim=1)
    x = x + gate_msa * attention.o(_attend(q, k, v, attention.num_heads))
    cross, y = block.cross_attn, block.norm3(x)
    q, k, v = cross.norm_q(cross.q(y)), cross.norm_k(cross.k(context)), cross.v(context)
    x = x + cross.o(_attend(q, k, v, cross.num_heads, weights))
    result: torch.Tensor = x + gate_mlp * block.ffn(modulated(block.norm2(x), shift_mlp, scale_mlp))
    return result


def _hints(
    vace: VaceWanModel,
    shown: torch.Tensor,
    x: torch.Tensor,
    context: torch.Tensor,
    weights: torch.Tensor,
    modulation: torch.Tensor,
    rope: Rope,
) -> dict[int, torch.Tensor]:
    """What is added behind the transformer's blocks, by their numbers."""
    c, found = vace.vace_patch_embedding(shown).flatten(2).transpose(1, 2), {}
    c = vace.vace_blocks[0].before_proj(c) + x
    for number, block in zip(vace.vace_layers, vace.vace_blocks, strict=True):
        c = _quick(_block)(block, c, context, weights, modulation, rope)
        found[number] = block.after_proj(c)
    return found


def _rotated(rope: Rope, x: torch.Tensor) -> torch.Tensor:
    real, imaginary = x.float().view(*x.shape[:2], -1, *rope.turns.shape[-2:]).unbind(-1)
    cos, sin = rope.turns.unbind(-1)
    return torch.stack((real * cos - imaginary * sin, real * sin + imaginary * cos), dim=-1).flatten(2).to(x.dtype)


def _attend(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, heads: int, weights: torch.Tensor | None = None
) -> torch.Tensor:
    q, k, v = (each.view(*each.shape[:2], heads, -1).transpose(1, 2) for each in (q, k.to(q.dtype), v.to(q.dtype)))
    mask = None if weights is None else weights.to(q.dtype)
    attend = _by_matrices if q.device.type == "cpu" else F.scaled_dot_product_attention
    return attend(q, k, v, mask).transpose(1, 2).flatten(2)


def _by_matrices(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Attention as it is defined: for few tokens on a CPU its gradients take a fifth of the fused kernel's time."""
    with torch.autocast(q.device.type, enabled=False):
        logits = (q * q.shape[-1] ** -0.5) @ k.transpose(2, 3)
        return (logits if mask is None else logits + mask).softmax(dim=-1) @ v
