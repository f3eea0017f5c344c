"""Portraits: the head and shoulders of a character on white, as a person would hand one in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.world.chance import chance
from training.world.character import Character
from training.world.figure import FaceTruth, face_of, figure
from training.world.paint import FINE, Classes, Pixels, paint, paint_parts, picked, sheet, shrunk
from training.world.pose import Pose
from training.world.proportions import Look
from training.world.shapes import Shape

SIZE = 512
WHITE = (255, 255, 255)
RANGES = ((-4, 4), (-3, 3), (1.1, 1.32), (-2.5, 2.5), (-1, 2), (-8, 8), (0.2, 1.4))
"""Of what differs between views: x, y, scale, turn, nod, tilt, smile, as `Pose` and `Look` have them."""


def portrait(character: Character, size: int = SIZE, view: int = 0) -> Pixels:
    """A character from the front, on white.

    Args:
        character: who.
        size: pixels of the square.
        view: 0 is the usual one; others differ a little in place, distance, tilt, expression and light.

    Returns:
        uint8 `[size, size, 3]`, RGB.
    """
    fine = sheet(size, WHITE)
    pose, light = _view(view)
    shapes = figure(character, pose)
    paint(fine, [shape if light == 1 else _lit(shape, light) for shape in shapes])
    return shrunk(fine)


def portrait_labels(character: Character, size: int = SIZE, view: int = 0) -> Classes:
    """What every pixel of `portrait` shows: uint8 `[size, size]`, classes of CelebAMask-HQ; 0 is background."""
    fine = np.zeros((size * FINE, size * FINE), np.uint8)
    paint_parts(fine, figure(character, _view(view)[0]))
    return picked(fine)


def portrait_truth(character: Character, size: int = SIZE, view: int = 0) -> FaceTruth:
    """Where the face of `portrait` lies."""
    return face_of(character, _view(view)[0], size)


def _view(view: int) -> tuple[Pose, float]:
    if view == 0:
        return Pose(48, 47, 1.25), 1.0
    rng = chance(view, "view")
    x, y, scale, turn, nod, tilt, smile = rng.uniform(*zip(*RANGES, strict=True))
    pose = Pose(48 + x, 47 + y, scale, look=Look(turn, nod, smile), tilt=tilt)
    return pose, rng.uniform(0.86, 1.08)


def _lit(shape: Shape, light: float) -> Shape:
    red, green, blue = (min(round(part * light), 255) for part in shape.colour)
    return replace(shape, colour=(red, green, blue))
