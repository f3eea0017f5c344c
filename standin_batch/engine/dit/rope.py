"""Rotary positions (RoPE, arXiv 2104.09864): tables made once for a grid, rotation in float32.

DiffSynth's `rope_apply` computes in complex128, four times the memory traffic, from tables that `model_fn_wan_video`
makes on the CPU in every pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

Grid = tuple[int, int, int]
"""Latent frames, rows and columns of a video's tokens."""


@dataclass(frozen=True)
class Rope:
    """The rotation of each token.

    Attributes:
        turns: cosine and sine, float32 [tokens, 1, head / 2, 2].
    """

    turns: torch.Tensor

    @classmethod
    def of(cls, frames: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor, device: str | torch.device) -> Rope:
        """The table of a box of tokens, from the factors along its three axes: complex, [length, share of head / 2]."""
        f, h, w = len(frames), len(rows), len(columns)
        parts = (
            frames.view(f, 1, 1, -1).expand(f, h, w, -1),
            rows.view(1, h, 1, -1).expand(f, h, w, -1),
            columns.view(1, 1, w, -1).expand(f, h, w, -1),
        )
        turns = torch.view_as_real(torch.cat(parts, dim=-1).reshape(f * h * w, 1, -1))
        return cls(turns.to(device=device, dtype=torch.float32))

    def rotate(self, x: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        """Rotate each head of `x` [batch, tokens, dim] into `out`, of the same shape and dtype."""
        heads, into = (each.view(*each.shape[:2], -1, *self.turns.shape[-2:]) for each in (x, out))
        # One kernel multiplies complex numbers; a compiler fuses real ones only.
        turned = self._by_parts(heads) if torch.compiler.is_compiling() else self._as_complex(heads)
        into.copy_(turned)
        return out

    def _as_complex(self, heads: torch.Tensor) -> torch.Tensor:
        turned = heads.to(torch.float32, copy=True)
        torch.view_as_complex(turned).mul_(torch.view_as_complex(self.turns))
        return turned

    def _by_parts(self, heads: torch.Tensor) -> torch.Tensor:
        (real, imaginary), (cos, sin) = heads.float().unbind(-1), self.turns.unbind(-1)
        return torch.stack((real * cos - imaginary * sin, real * sin + imaginary * cos), dim=-1)


class Ropes:
    """The tables of videos, kept for the grid at work.

    Args:
        device: as torch names it.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._last: tuple[tuple[Grid, int], Rope] | None = None

    def video(self, dit: Any, grid: Grid) -> Rope:  # noqa: ANN401
        """Positions of a video's tokens: 0-based along each axis."""
        frames, rows, columns = dit.freqs
        key = (grid, frames.shape[-1] + rows.shape[-1] + columns.shape[-1])
        if self._last is None or self._last[0] != key:
            f, h, w = grid
            self._last = (key, Rope.of(frames[:f], rows[:h], columns[:w], self._device))
        return self._last[1]


def identity_rope(dit: Any, grid: tuple[int, int], rows: int, columns: int, device: str | torch.device) -> Rope:  # noqa: ANN401
    """Positions of an identity's tokens: frame -1, and the rows and columns that follow the video's `grid`.

    DiffSynth's tables start at 0; the factor of position -1 is the conjugate of that of position 1.
    """
    h, w = grid
    frame = dit.freqs[0][1:2].conj().resolve_conj()
    return Rope.of(frame, dit.freqs[1][h : h + rows], dit.freqs[2][w : w + columns], device)
