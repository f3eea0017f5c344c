"""Pictures to learn from and to be measured by: characters in scenes and on white, and pictures without anybody."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from standin_batch.face.subject import Pixels
from training.world.background import backdrop
from training.world.character import CLOTHES, PATTERNS, Character, character
from training.world.control import control
from training.world.figure import FaceTruth, face_of, figure
from training.world.paint import FINE, paint, paint_parts, sheet, shrunk
from training.world.pose import Pose
from training.world.scene import BACKGROUNDS, STYLES, scene

HELD_OUT = 1_000_000
"""Characters from this seed on are for measuring; none of them is trained on."""
WHITE = (255, 255, 255)
SIZE = 96
INK = 0.3
"""Share of the scenes in ink."""
CONTROLS = 0.4
"""Share of the pictures without anybody that are frames of control clips."""


@dataclass(frozen=True)
class Picture:
    """What is drawn, and what it shows.

    Attributes:
        pixels: uint8 `[S, S, 3]`, RGB.
        truth: where the face lies; None without one.
        classes: of CelebAMask-HQ, uint8 `[4 S, 4 S]`.
    """

    pixels: Pixels
    truth: FaceTruth | None
    classes: npt.NDArray[np.uint8]


def someone(rng: np.random.Generator) -> Character:
    """A character to train on."""
    return character(int(rng.integers(HELD_OUT)))


def dressed(who: Character, rng: np.random.Generator) -> Character:
    """The same face in other clothes."""
    return replace(who, clothes=str(rng.choice(list(CLOTHES))), pattern=str(rng.choice(PATTERNS)))


def style(rng: np.random.Generator) -> str:
    """Of a scene."""
    return STYLES[1] if rng.random() < INK else STYLES[0]


def in_scene(rng: np.random.Generator, who: Character, drawn: str, size: int = SIZE) -> Picture:
    """A character somewhere in some pose: more poses than actions have."""
    fine = _behind(rng, drawn, size)
    scale = rng.uniform(0.65, 1.35)
    pose = _pose(rng, rng.uniform(24, 72), 91 - 49 * scale * rng.uniform(0.8, 1.1), scale)
    return _painted(fine, who, pose, drawn)


def on_white(rng: np.random.Generator, who: Character, size: int) -> Picture:
    """A character as in a portrait."""
    pose = _pose(rng, 48 + rng.uniform(-5, 5), 47 + rng.uniform(-4, 4), rng.uniform(1.0, 1.4))
    return _painted(sheet(size, WHITE), who, replace(pose, cheer=0.0, swing=0.0), STYLES[0])


def nobody(rng: np.random.Generator, size: int = SIZE) -> Picture:
    """A background, or a stick figure of a control clip."""
    if rng.random() < CONTROLS:
        pixels = control(scene(int(rng.integers(HELD_OUT))), size, 2)[rng.integers(2)]
    else:
        pixels = shrunk(_behind(rng, style(rng), size))
    return Picture(pixels, None, np.zeros((size * FINE, size * FINE), np.uint8))


def _behind(rng: np.random.Generator, drawn: str, size: int) -> Pixels:
    fine = sheet(size, WHITE)
    name = BACKGROUNDS[rng.integers(len(BACKGROUNDS))]
    paint(fine, backdrop(name, int(rng.integers(HELD_OUT))), drawn, behind=True)
    return fine


def _pose(rng: np.random.Generator, x: float, y: float, scale: float) -> Pose:
    return Pose(
        x,
        y,
        scale,
        dip=rng.uniform(-0.4, 3),
        turn=rng.uniform(-3, 3),
        nod=rng.uniform(-1, 3.2),
        tilt=rng.normal(0, 4),
        swing=rng.uniform(-1, 1),
        cheer=max(rng.uniform(-1, 1), 0),
        smile=rng.uniform(0.2, 1.5),
    )


def _painted(fine: Pixels, who: Character, pose: Pose, drawn: str) -> Picture:
    size = len(fine) // FINE
    shapes = figure(who, pose)
    paint(fine, shapes, drawn)
    classes = np.zeros(fine.shape[:2], np.uint8)
    paint_parts(classes, shapes)
    return Picture(shrunk(fine), face_of(who, pose, size), classes)
