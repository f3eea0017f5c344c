"""Flat shapes, of which everything in the world is made. What they are painted with is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.world.character import Colour

Points = npt.NDArray[np.float64]

STEPS = np.linspace(0, 1, 33)
ANGLES = np.linspace(0, 2 * np.pi, 64, endpoint=False)
CIRCLE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], 1)
HALF = np.stack([np.cos((STEPS - 0.5) * np.pi), np.sin((STEPS - 0.5) * np.pi)], 1)
"""The right half of a circle."""


@dataclass(frozen=True)
class Shape:
    """One flat shape.

    Attributes:
        contours: float64 `[N, 2]` each, x and y; where an even number of them overlap is a hole.
        colour: RGB.
        part: the class of CelebAMask-HQ; 0 is background.
        rim: whether it has a rim, which is what a drawing in ink outlines.
    """

    contours: tuple[Points, ...]
    colour: Colour
    part: int = 0
    rim: bool = False


def oval(x: float, y: float, width: float, height: float, power: float = 2.0) -> Points:
    """A superellipse about (x, y); `width` and `height` are halves, and `power` above 2 makes it squarer."""
    circle: Points = np.sign(CIRCLE) * np.abs(CIRCLE) ** (2 / power) if power != 2 else CIRCLE
    return circle * (width, height) + (x, y)


def arc(x: float, y: float, width: float, height: float, start: float, end: float) -> Points:
    """A part of an ellipse's rim, from `start` to `end` degrees; 0 is right, 90 is down, 270 is up."""
    angles = np.radians(start + (end - start) * STEPS)
    return np.stack([x + width * np.cos(angles), y + height * np.sin(angles)], 1)


def capsule(ax: float, ay: float, bx: float, by: float, radius: float) -> Points:
    """A thick line with round ends; a disc where both ends are one point."""
    length = float(np.hypot(bx - ax, by - ay))
    along, across = ((bx - ax) / length, (by - ay) / length) if length else (1.0, 0.0)
    end = HALF @ np.array([(along, across), (-across, along)]) * radius
    return np.concatenate([np.add(end, (bx, by)), np.subtract((ax, ay), end)])


def band(line: Points, thickness: float) -> Points:
    """A thick line along `line`, `[N, 2]`, with flat ends."""
    along = np.gradient(line, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], 1) / np.linalg.norm(along, axis=1, keepdims=True)
    return np.concatenate([line + across * thickness / 2, (line - across * thickness / 2)[::-1]])


def box(left: float, top: float, right: float, bottom: float) -> Points:
    """A rectangle."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)


def corners(*points: tuple[float, float]) -> Points:
    """A polygon."""
    return np.array(points, np.float64)


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """A colour between two; `share` is the other's, 0 to 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def darker(colour: Colour, share: float = 0.2) -> Colour:
    """`colour` on the way to black."""
    return mixed(colour, (0, 0, 0), share)


def lighter(colour: Colour, share: float = 0.2) -> Colour:
    """`colour` on the way to white."""
    return mixed(colour, (255, 255, 255), share)
