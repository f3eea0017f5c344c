"""What the stages on a frozen transformer have in common: scenes with their captions, and how they are looked at."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffsynth.models.wan_video_dit import WanModel
from diffsynth.models.wan_video_vace import VaceWanModel
from PIL import Image

from standin_batch.engine.dit.block import KeyValue
from training import clips
from training.clips import Clips, drawn, training_scene
from training.dit.flow import sample
from training.dit.forward import Text, velocity
from training.dit.scenes import Vae, latents_of
from training.dit.trained import encoded
from training.world.scene import caption

BATCH = 32
SCENES = 4500
GRID = (6, 6)
"""Rows and columns of a clip's tokens at 96 x 96."""
LATENTS = (16, 4, 12, 12)
"""Of a clip of 13 frames of 96 x 96."""
WITHOUT_PROMPT = 0.1
"""Share of captions that are left out, for guidance."""
SHOWN = 5
"""Frames of a clip on a sheet."""


@dataclass(frozen=True)
class Captions:
    """Encoded captions; the last one says nothing.

    Attributes:
        tokens: [N + 1, L + 1, text_dim].
    """

    tokens: torch.Tensor

    def pick(self, rows: torch.Tensor) -> Text:
        """Those of some rows."""
        return Text(self.tokens[rows])


@dataclass(frozen=True)
class Scenes:
    """Drawn scenes as the transformer sees them.

    Attributes:
        latents: [N, 16, 4, 12, 12].
        text: of their captions.
    """

    latents: torch.Tensor
    text: Captions


def arguments(name: str, says: str | None, steps: int) -> argparse.Namespace:
    """The arguments of a stage: `out`, `steps`, `scenes`."""
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=says)
    parser.add_argument("--out", type=Path, required=True, help="folder of the whole training")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--scenes", type=int, default=SCENES, help="how many to learn from")
    return parser.parse_args()


def scenes(out: Path, style: str, vae: Vae, seeds: range) -> Scenes:
    """The scenes of `seeds` in a style, from the drawn clips on disk or drawn there."""
    make = {"plain": clips.plain, "ink": clips.ink}[style]
    latents = latents_of(out / "latents", f"{style}-{seeds.start}", vae, drawn(out / "drawn", style, make, seeds))
    said = [caption(training_scene(seed, style)) for seed in seeds]
    return Scenes(latents, Captions(encoded(out / "weights", [*said, ""]).tokens))


def said_or_not(rows: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """The rows of captions, some of them replaced by the last one, which says nothing."""
    return torch.where(torch.rand(len(rows), generator=chance) < WITHOUT_PROMPT, -1, rows)


@torch.no_grad()
def made_of(
    dit: WanModel,
    vae: Vae,
    text: Captions,
    count: int,
    identity: Sequence[KeyValue] | None = None,
    vace: tuple[VaceWanModel, torch.Tensor] | None = None,
) -> Clips:
    """The clips that the first captions make, uint8 [count, T, H, W, 3].

    Args:
        dit: the transformer.
        vae: that decodes.
        text: of the captions.
        count: how many.
        identity: keys and values of at least as many.
        vace: what is shown to it, at least as many.
    """
    said, nothing = text.pick(torch.arange(count)), text.pick(torch.full((count,), -1))
    first = None if identity is None else [(keys[:count], values[:count]) for keys, values in identity]
    beside = None if vace is None else (vace[0], vace[1][:count])
    latents = sample(
        lambda x, t: velocity(dit, x, t, said, first, beside),
        lambda x, t: velocity(dit, x, t, nothing, first, beside),
        (count, *LATENTS),
        seed=0,
    )
    return vae.decode(latents)


def write_scene_sheet(path: Path, shown: Clips, made: Clips) -> None:
    """A row for each clip: what the model was shown, [N, H, W, 3], and frames of what it made, [N, T, H, W, 3]."""
    at = np.linspace(0, made.shape[1] - 1, SHOWN).round().astype(int)
    rows = [np.hstack([picture, *clip[at]]) for picture, clip in zip(shown, made, strict=True)]
    half = (len(rows) + 1) // 2
    Image.fromarray(np.hstack([np.vstack(rows[:half]), np.vstack(rows[half:])])).save(path)
