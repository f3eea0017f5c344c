"""What the face models are measured by: characters that none of them was trained on, in clips and portraits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from standin_batch.face.subject import Pixels
from training.clips import HELD_OUT
from training.faces.wear import blurred
from training.world.character import Character, character
from training.world.draw import draw, truth
from training.world.figure import FaceTruth
from training.world.scene import BACKGROUNDS, STYLES, Scene, scene

EVERY = 4
"""Of a clip's frames, this many-th is looked at."""
BLUR, NOISE = 1.0, 5.0
"""What a small VAE does to frames, about: a Gaussian's sigma in pixels, and noise in levels."""


@dataclass(frozen=True)
class Shot:
    """One frame of a clip, and where its face is."""

    pixels: Pixels
    truth: FaceTruth


def unseen(number: int) -> list[Character]:
    """Characters that nothing was trained on, no two the same."""
    found: list[Character] = []
    seed = HELD_OUT
    while len(found) < number:
        if (who := character(seed)) not in found:
            found.append(who)
        seed += 1
    return found


def clip_of(who: Character, index: int, style: str = STYLES[0]) -> Scene:
    """The scene in which the character is measured."""
    return scene(HELD_OUT + index, character=who, background=BACKGROUNDS[index % len(BACKGROUNDS)], style=style)


def shots(what: Scene) -> Iterator[Shot]:
    """Every fourth frame of a clip."""
    for pixels, place in list(zip(draw(what), truth(what), strict=True))[::EVERY]:
        yield Shot(pixels, place)


def spoilt(pixels: Pixels, seed: int) -> Pixels:
    """`pixels` blurred and noisy."""
    noise = np.random.default_rng(seed).normal(0, NOISE, pixels.shape)
    return np.clip(np.rint(blurred(pixels, BLUR) + noise), 0, 255).astype(np.uint8)
