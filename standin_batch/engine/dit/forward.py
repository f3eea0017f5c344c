"""One pass of the transformer: from latents to the velocity that the scheduler steps along.

Source: `model_fn_wan_video` and `VaceWanModel.forward` of DiffSynth, for what Stand-In uses of them: text to video,
with or without VACE. A hint of VACE is made when its block needs it: one lives at a time, instead of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from diffsynth.models.wan_video_dit import sinusoidal_embedding_1d

from standin_batch.engine.dit.attention import EXACT, PLAIN, Attention
from standin_batch.engine.dit.block import KeyValue, Room, Step, run_block
from standin_batch.engine.dit.rope import Ropes
from standin_batch.engine.step_cache import PassCache

Block = Callable[..., torch.Tensor]
"""What `run_block` takes and gives."""


@dataclass(frozen=True)
class Vace:
    """VACE beside the transformer.

    Attributes:
        model: DiffSynth's `VaceWanModel`.
        context: what it is shown: [1, 96, T, height / 8, width / 8].
        scale: of its hints.
    """

    model: Any
    context: torch.Tensor
    scale: float


@dataclass
class Forward:
    """The pass, with what is kept between passes: places and tables that depend on shapes alone.

    Attributes:
        device: as torch names it.
        attention: of the video's tokens.
        block: takes the tokens through one block: `run_block`, or that compiled.
        writes_apart: whether keys and values are written into a place of their own; a compiler sees to that itself.
    """

    device: str
    attention: Attention = EXACT[PLAIN]
    block: Block = run_block
    writes_apart: bool = True
    _ropes: Ropes = field(init=False, repr=False)
    _room: Room = field(default_factory=Room, repr=False)

    def __post_init__(self) -> None:
        self._ropes = Ropes(self.device)

    def forget(self) -> None:
        """Give the memory of places and tables back."""
        self._ropes, self._room = Ropes(self.device), Room()

    @torch.no_grad()
    def __call__(
        self,
        dit: Any,  # noqa: ANN401
        latents: torch.Tensor,
        timestep: torch.Tensor,
        context: torch.Tensor,
        identity: Sequence[KeyValue] | None = None,
        vace: Vace | None = None,
        cache: PassCache | None = None,
    ) -> torch.Tensor:
        """The velocity at `latents`.

        Args:
            dit: DiffSynth's `WanModel`, a text-to-video one.
            latents: [1, 16, T, height / 8, width / 8].
            timestep: [1], 0 .. 1000.
            context: of the prompt: [1, 512, text_dim].
            identity: keys and values of its tokens, for each block.
            vace: beside it.
            cache: what stands for the blocks where they are skipped, and is told what they add where they are not.
        """
        embedded = dit.time_embedding(sinusoidal_embedding_1d(dit.freq_dim, timestep))
        x = dit.patchify(latents)
        frames, rows, columns = x.shape[2:]
        grid = (frames, rows, columns)
        x = x.flatten(2).transpose(1, 2).contiguous()
        step = Step(
            context=dit.text_embedding(context),
            modulation=dit.time_projection(embedded).unflatten(1, (6, dit.dim)),
            rope=self._ropes.video(dit, grid),
            room=self._room if self.writes_apart else None,
            attention=self.attention,
        )
        if cache is not None and cache.skip:
            x = cache.apply(x)
        else:
            before = None if cache is None else x.clone()  # blocks work in place
            x = self._blocks(dit, x, step, identity, vace)
            if cache is not None and before is not None:
                cache.store(before, x)
        found: torch.Tensor = dit.unpatchify(dit.head(x, embedded), grid)
        return found

    def _blocks(
        self,
        dit: Any,  # noqa: ANN401
        x: torch.Tensor,
        step: Step,
        identity: Sequence[KeyValue] | None,
        vace: Vace | None,
    ) -> torch.Tensor:
        hints = {} if vace is None else dict(zip(vace.model.vace_layers, self._hints(vace, x, step), strict=True))
        for number, block in enumerate(dit.blocks):
            x = self.block(block, x, step, None if identity is None else identity[number])
            if number in hints and vace is not None:
                x = x.add_(hints.pop(number)() * vace.scale)
        return x

    def _hints(self, vace: Vace, x: torch.Tensor, step: Step) -> list[Callable[[], torch.Tensor]]:
        """What VACE adds behind each of its blocks, to be asked for one after the other: [1, tokens, dim] each.

        It sees the video's tokens, never an identity's.

        Args:
            vace: with blocks in the order of the transformer's.
            x: the tokens before the first block.
            step: of the pass.
        """
        first, *_ = vace.model.vace_blocks
        c = first.before_proj(_shown(vace, x.shape[1])).add_(x)

        def hint(block: Any) -> torch.Tensor:  # noqa: ANN401
            found: torch.Tensor = block.after_proj(self.block(block, c, step))
            return found

        return [partial(hint, block) for block in vace.model.vace_blocks]


def _shown(vace: Vace, tokens: int) -> torch.Tensor:
    """The tokens of what VACE is shown, and zeros behind them where the video has more: [1, tokens, dim]."""
    x = vace.model.vace_patch_embedding(vace.context).flatten(2).transpose(1, 2)
    return torch.nn.functional.pad(x, (0, 0, 0, tokens - x.shape[1]))
