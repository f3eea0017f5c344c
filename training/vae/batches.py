"""What the VAE learns from: crops of drawn pictures and clips, of all kinds that it will meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from training import clips
from training.clips import HELD_OUT, Clips, Draw, drawn

SIDE = 64
"""Of a crop: what is learnt there holds for larger pictures, as nearly all layers are convolutions."""
MIRRORED = 0.5


@dataclass(frozen=True)
class Kind:
    """One kind of clips.

    Attributes:
        make: draws one.
        count: how many there are to train on.
        share: of a batch.
        held_out: how many there are to measure with.
    """

    make: Draw
    count: int
    share: float
    held_out: int = 0


KINDS: Mapping[str, Kind] = {
    "plain": Kind(clips.plain, 3000, 0.62, 64),
    "heads": Kind(clips.head, 1500, 0.16),
    "ink": Kind(clips.ink, 500, 0.15, 16),
    "control": Kind(clips.controls, 200, 0.07),
}


@dataclass(frozen=True)
class Batches:
    """Crops by chance.

    Attributes:
        clips: by kind.
    """

    clips: Mapping[str, Clips]

    def draw(self, count: int, frames: int, rng: np.random.Generator) -> torch.Tensor:
        """A batch [count, 3, frames, 64, 64], -1..1, bfloat16, the channels last.

        Args:
            count: of crops.
            frames: of each; kinds that have fewer are left out.
            rng: all chance comes from it.
        """
        kinds = [name for name, each in self.clips.items() if each.shape[1] >= frames]
        shares = np.array([KINDS[name].share for name in kinds])
        chosen = rng.choice(len(kinds), count, p=shares / shares.sum())
        return as_video(np.stack([_crop(self.clips[kinds[kind]], frames, rng) for kind in chosen]))


def training_batches(folder: Path) -> Batches:
    """All that is trained on; drawn into `folder` on first use."""
    return Batches({name: drawn(folder, name, kind.make, range(kind.count)) for name, kind in KINDS.items()})


def held_out(folder: Path) -> Mapping[str, Clips]:
    """Whole clips that are not trained on, of the kinds that the VAE is measured with."""
    return {
        name: drawn(folder, name, kind.make, range(HELD_OUT, HELD_OUT + kind.held_out))
        for name, kind in KINDS.items()
        if kind.held_out
    }


def as_video(pixels: Clips) -> torch.Tensor:
    """uint8 [B, T, H, W, 3] as [B, 3, T, H, W], -1..1, bfloat16, the channels last in memory."""
    return (torch.from_numpy(pixels.astype(np.float32)) / 127.5 - 1).bfloat16().permute(0, 4, 1, 2, 3)


def _crop(clips: Clips, frames: int, rng: np.random.Generator) -> Clips:
    clip = clips[rng.integers(len(clips))]
    first, top, left = (int(rng.integers(length + 1)) for length in np.subtract(clip.shape[:3], (frames, SIDE, SIDE)))
    crop = clip[first : first + frames, top : top + SIDE, left : left + SIDE]
    return crop[:, :, ::-1] if rng.random() < MIRRORED else crop
