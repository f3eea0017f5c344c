"""One block of the transformer: DiffSynth's `DiTBlock.forward` on its own modules, in fewer passes over memory.

A multiplication with the addition behind it is one kernel, sums go where their first part lies, and keys and values are
written once, where the identity's follow them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from standin_batch.engine.dit.attention import Attention, attend
from standin_batch.engine.dit.rope import Rope

KeyValue = tuple[torch.Tensor, torch.Tensor]
"""Keys, rotated, and values: [1, tokens, dim] each."""


class Room:
    """Where a self-attention's keys and values are written: one place for all blocks, as large as was needed yet."""

    def __init__(self) -> None:
        self._pair: KeyValue | None = None

    def pair(self, like: torch.Tensor, further: int) -> KeyValue:
        """Places for the tokens of `like` [1, tokens, dim] and `further` ones."""
        _, tokens, dim = like.shape
        needed = tokens + further
        if self._pair is None or not _holds(self._pair[0], like, needed):
            self._pair = (like.new_empty(1, needed, dim), like.new_empty(1, needed, dim))
        keys, values = self._pair
        return keys[:, :needed], values[:, :needed]


def _holds(place: torch.Tensor, like: torch.Tensor, tokens: int) -> bool:
    kinds = ((each.shape[2], each.dtype, each.device) for each in (place, like))
    return len(set(kinds)) == 1 and place.shape[1] >= tokens


@dataclass(frozen=True)
class Step:
    """What all blocks of a pass have in common.

    Attributes:
        context: of the prompt, [1, 512, dim].
        modulation: of the timestep, [1, 6, dim].
        rope: of the tokens.
        room: for keys and values; None to have them put together anew.
        attention: of the video's tokens.
    """

    context: torch.Tensor
    modulation: torch.Tensor
    rope: Rope
    room: Room | None
    attention: Attention


def run_block(block: Any, x: torch.Tensor, step: Step, identity: KeyValue | None = None) -> torch.Tensor:  # noqa: ANN401
    """Take `x` [1, tokens, dim] through a block, in place.

    Args:
        block: a `DiTBlock`.
        x: is overwritten.
        step: of the pass.
        identity: its tokens' keys and values in this block.
    """
    shift_msa, scale_msa, gate_msa, shift_mlp, scale_mlp, gate_mlp = modulations(block, step.modulation)
    attended = self_attention(block.self_attn, modulated(block.norm1(x), shift_msa, scale_msa), step, identity)
    x = x.addcmul_(gate_msa, attended)
    x = x.add_(cross_attention(block.cross_attn, block.norm3(x), step))
    return x.addcmul_(gate_mlp, block.ffn(modulated(block.norm2(x), shift_mlp, scale_mlp)))


def modulations(block: Any, of_step: torch.Tensor) -> tuple[torch.Tensor, ...]:  # noqa: ANN401
    """Shift, scale and gate of attention, and of the feed-forward: [1, 1, dim] each."""
    return (block.modulation.to(dtype=of_step.dtype, device=of_step.device) + of_step).chunk(6, dim=1)


def modulated(x: torch.Tensor, shift: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """`x * (1 + scale) + shift`."""
    return torch.addcmul(shift, x, 1 + scale)


def self_attention(attention: Any, y: torch.Tensor, step: Step, identity: KeyValue | None) -> torch.Tensor:  # noqa: ANN401
    """Attend from the tokens of `y` [1, tokens, dim] to themselves and to the identity's."""
    tokens, further = y.shape[1], 0 if identity is None else identity[0].shape[1]
    keys, values = _room(step).pair(y, further)
    query = attention.norm_q(attention.q(y))
    query = step.rope.rotate(query, out=query)
    step.rope.rotate(attention.norm_k(attention.k(y)), out=keys[:, :tokens])
    values[:, :tokens] = attention.v(y)
    if identity is not None:
        keys[:, tokens:], values[:, tokens:] = identity
    found: torch.Tensor = attention.o(attend(step.attention, query, keys, values, attention.num_heads))
    return found


def _room(step: Step) -> Room:
    return Room() if step.room is None else step.room


def cross_attention(attention: Any, y: torch.Tensor, step: Step) -> torch.Tensor:  # noqa: ANN401
    """Attend from the tokens of `y` to the prompt's."""
    query = attention.norm_q(attention.q(y))
    key, value = attention.norm_k(attention.k(step.context)), attention.v(step.context)
    found: torch.Tensor = attention.o(attend(step.attention, query, key, value, attention.num_heads))
    return found
