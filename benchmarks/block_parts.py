"""What one block of the transformer is made of, each piece ready to be timed by itself on inputs of the right shape."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.transformer import Model
from standin_batch.plan.work import TEXT_TOKENS
from standin_batch.plan.work import forward as work_of

if TYPE_CHECKING:
    import torch

Piece = tuple[Callable[[], object], float]
"""What is done, and the operations that it counts."""


@dataclass(frozen=True)
class Block:
    """The first block of a model with inputs of its own.

    Attributes:
        model: that it is of.
        x: tokens, [1, tokens, dim]; the engine's block overwrites a copy.
        context: of the prompt, [1, 512, dim].
        modulation: of the timestep, [1, 6, dim].
    """

    model: Model
    x: torch.Tensor
    context: torch.Tensor
    modulation: torch.Tensor

    @classmethod
    def of(cls, model: Model) -> Block:
        """Random inputs for the first block of `model`."""
        dim = model.sizes.dim
        return cls(
            model, model.random(1, model.tokens, dim), model.random(1, TEXT_TOKENS, dim), model.random(1, 6, dim)
        )

    def engine(self) -> object:
        """The engine's block."""
        from standin_batch.engine.dit.block import run_block

        return run_block(self._block, self.x.clone(), self._step, self.model.identity[0])

    def stock(self) -> object:
        """Stock DiffSynth's block."""
        return self._block(self.x, self.context, self.modulation, self._freqs)

    def compiled(self) -> object:
        """The engine's block, compiled."""
        return self._compiled(self._block, self.x.clone(), replace(self._step, room=None), self.model.identity[0])

    def parts(self) -> dict[str, Piece]:
        """The pieces of both blocks, by name."""
        work = work_of(replace(self.model.sizes, num_layers=1), self.model.tokens, identity=True)
        return {
            "the engine's block, sdpa, with identity": (self.engine, work.total),
            "stock DiffSynth's block, without": (self.stock, work.total - work.identity),
            "linear layers": (self._linear, work.linear),
            **dict(self._attentions(work.self_attention + work.identity)),
            "cross-attention to the prompt": (self._cross, work.cross_attention),
            "positions (RoPE) of query and key, engine": (self._rope, 0.0),
            "positions (RoPE) of query and key, stock": (self._stock_rope, 0.0),
            "norms, modulation and gates, engine": (self._norms, 0.0),
            "norms, modulation and gates, stock": (self._stock_norms, 0.0),
            "identity behind keys and values, engine": (self._append, 0.0),
            "identity behind keys and values, by cat": (self._cat, 0.0),
        }

    def _linear(self) -> object:
        """All that multiplies the video's tokens by weights."""
        own, cross = self._block.self_attn, self._block.cross_attn
        for layer in (own.q, own.k, own.v, own.o, cross.q, cross.o):
            layer(self.x)
        return self._block.ffn(self.x)

    def _attentions(self, flop: float) -> Iterator[tuple[str, Piece]]:
        from standin_batch.engine.dit.attention import EXACT, INEXACT

        for name, kernel in {**EXACT, **INEXACT}.items():
            yield f"self-attention with identity, {name}", (partial(self._attend, kernel), flop)

    def _attend(self, kernel: Callable[..., object]) -> object:
        return kernel(*self._heads)

    def _cross(self) -> object:
        from standin_batch.engine.dit.attention import EXACT, PLAIN, attend

        cross = self._block.cross_attn
        return attend(EXACT[PLAIN], self.x, cross.k(self.context), cross.v(self.context), cross.num_heads)

    def _rope(self) -> object:
        return [self._step.rope.rotate(self.x, out=self._spare) for _ in "qk"]

    def _stock_rope(self) -> object:
        from diffsynth.models.wan_video_dit import rope_apply

        return [rope_apply(self.x, self._freqs, self._block.num_heads) for _ in "qk"]

    def _norms(self) -> object:
        from standin_batch.engine.dit.block import modulated, modulations

        shift, scale, gate, *_ = modulations(self._block, self.modulation)
        for norm in (self._block.norm1, self._block.norm2):
            modulated(norm(self.x), shift, scale)
            self._spare.addcmul_(gate, self.x)
        return self._plain_norms()

    def _stock_norms(self) -> object:
        from diffsynth.models.wan_video_dit import modulate

        parts = self._block.modulation.to(self.modulation) + self.modulation
        shift, scale, gate, *_ = parts.chunk(6, dim=1)
        for norm in (self._block.norm1, self._block.norm2):
            modulate(norm(self.x), shift, scale)
            self._block.gate(self._spare, gate, self.x)
        return self._plain_norms()

    def _plain_norms(self) -> object:
        """Those that both compute alike."""
        own, cross = self._block.self_attn, self._block.cross_attn
        return [norm(self.x) for norm in (own.norm_q, own.norm_k, cross.norm_q, self._block.norm3)]

    def _append(self) -> object:
        for place, own in zip(self._room, self.model.identity[0], strict=True):
            place[:, -own.shape[1] :] = own
        return self._room

    def _cat(self) -> object:
        import torch

        return [torch.cat([self.x, own], dim=1) for own in self.model.identity[0]]

    @property
    def _block(self) -> Any:  # noqa: ANN401
        return self.model.dit.blocks[0]

    @cached_property
    def _step(self) -> Any:  # noqa: ANN401
        from standin_batch.engine.dit.attention import EXACT, PLAIN
        from standin_batch.engine.dit.block import Room, Step
        from standin_batch.engine.dit.rope import Ropes

        rope = Ropes(str(self.x.device)).video(self.model.dit, self.model.grid)
        return Step(self.context, self.modulation, rope, Room(), EXACT[PLAIN])

    @cached_property
    def _freqs(self) -> torch.Tensor:
        """As `model_fn_wan_video` makes them: complex128, [tokens, 1, head / 2]."""
        import torch

        f, h, w = self.model.grid
        frames, rows, columns = self.model.dit.freqs
        along = (frames[:f].view(f, 1, 1, -1), rows[:h].view(1, h, 1, -1), columns[:w].view(1, 1, w, -1))
        table = torch.cat([part.expand(f, h, w, -1) for part in along], dim=-1)
        return table.reshape(f * h * w, 1, -1).to(self.x.device)

    @cached_property
    def _heads(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Query, key and value with the identity's tokens, [1, tokens, heads, head] each."""
        sizes, tokens = self.model.sizes, self.model.tokens
        shape = (sizes.num_heads, sizes.dim // sizes.num_heads)
        key, value = (self.model.random(1, tokens + sizes.identity_tokens, *shape) for _ in range(2))
        return self.model.random(1, tokens, *shape), key, value

    @cached_property
    def _spare(self) -> torch.Tensor:
        return self.x.clone()

    @cached_property
    def _room(self) -> tuple[torch.Tensor, torch.Tensor]:
        sizes = self.model.sizes
        tokens, dim = self.model.tokens + sizes.identity_tokens, sizes.dim
        return self.model.random(1, tokens, dim), self.model.random(1, tokens, dim)

    @cached_property
    def _compiled(self) -> Callable[..., object]:
        from standin_batch.engine.dit.compiled import compiled_block

        return compiled_block(Path(tempfile.gettempdir()) / "standin-bench-compiled")
