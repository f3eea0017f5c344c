"""Pictures to learn from: characters in scenes and on white, and pictures without anybody."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from standin_batch.face.subject import Pixels
from training.clips import HELD_OUT
from training.world.background import backdrop
from training.world.character import CLOTHES, PATTERNS, Character, character
from training.world.control import control
from training.world.draw import SIZE, draw, labels, truth
from training.world.figure import FaceTruth
from training.world.paint import paint, sheet, shrunk
from training.world.portrait import portrait, portrait_labels, portrait_truth
from training.world.scene import BACKGROUNDS, STYLES, scene

FRAMES = 3
"""Frames of which a clip has at most, of which one is taken."""
SEEDS = 2**31
INK = 0.3
"""Share of the scenes in ink."""
CONTROLS = 0.4
"""Share of the pictures without anybody that are frames of control clips."""
FINER = 4
"""How many times finer than a scene's pixels its classes are."""
WHITE = (255, 255, 255)


@dataclass(frozen=True)
class Picture:
    """What is drawn, and what it shows.

    Attributes:
        pixels: uint8 `[S, S, 3]`, RGB.
        truth: where the face lies; None without one.
        classes: of CelebAMask-HQ, uint8, as large as `pixels` or finer; None unless asked for.
    """

    pixels: Pixels
    truth: FaceTruth | None
    classes: npt.NDArray[np.uint8] | None = None


def someone(rng: np.random.Generator) -> Character:
    """A character to train on."""
    return character(int(rng.integers(HELD_OUT)))


def dressed(who: Character, rng: np.random.Generator) -> Character:
    """The same face in other clothes."""
    return replace(who, clothes=str(rng.choice(list(CLOTHES))), pattern=str(rng.choice(PATTERNS)))


def style(rng: np.random.Generator) -> str:
    """Of a scene."""
    return STYLES[1] if rng.random() < INK else STYLES[0]


def in_scene(
    rng: np.random.Generator, who: Character, style: str, size: int = SIZE, with_classes: bool = False
) -> Picture:
    """A frame of some clip of a character."""
    clip = scene(int(rng.integers(SEEDS)), character=who, style=style)
    frames = int(rng.integers(FRAMES)) + 1
    index = int(rng.integers(frames))
    classes = labels(clip, size * FINER, frames)[index] if with_classes else None
    return Picture(draw(clip, size, frames)[index], truth(clip, size, frames)[index], classes)


def on_white(rng: np.random.Generator, who: Character, size: int, with_classes: bool = False) -> Picture:
    """A portrait of a character."""
    view = int(rng.integers(SEEDS))
    classes = portrait_labels(who, size, view) if with_classes else None
    return Picture(portrait(who, size, view), portrait_truth(who, size, view), classes)


def nobody(rng: np.random.Generator, size: int = SIZE) -> Picture:
    """A background, or a stick figure of a control clip."""
    if rng.random() < CONTROLS:
        return Picture(control(scene(int(rng.integers(SEEDS))), size, 2)[rng.integers(2)], None)
    fine = sheet(size, WHITE)
    name = BACKGROUNDS[rng.integers(len(BACKGROUNDS))]
    paint(fine, backdrop(name, int(rng.integers(SEEDS))), style(rng), behind=True)
    return Picture(shrunk(fine), None)
