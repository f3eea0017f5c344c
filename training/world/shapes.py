"""Flat shapes, of which everything in the world is made. What they are painted with is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from training.world.character import Colour

Points = npt.NDArray[np.float64]

ANGLES = np.linspace(0, 2 * np.pi, 64, endpoint=False)


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
    cos, sin = np.cos(ANGLES), np.sin(ANGLES)
    exponent = 2 / power
    return np.stack(
        [x + width * np.sign(cos) * np.abs(cos) ** exponent, y + height * np.sign(sin) * np.abs(sin) ** exponent], 1
    )


def arc(x: float, y: float, width: float, height: float, start: float, end: float) -> Points:
    """A part of an ellipse's rim, from `start` to `end` degrees; 0 is right, 90 is down, 270 is up."""
    angles = np.radians(np.linspace(start, end, 33))
    return np.stack([x + width * np.cos(angles), y + height * np.sin(angles)], 1)


def capsule(ax: float, ay: float, bx: float, by: float, radius: float) -> Points:
    """A thick line with round ends."""
    towards = float(np.degrees(np.arctan2(by - ay, bx - ax)))
    return np.concatenate(
        [
            arc(bx, by, radius, radius, towards - 90, towards + 90),
            arc(ax, ay, radius, radius, towards + 90, towards + 270),
        ]
    )


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


@dataclass(frozen=True)
class Place:
    """Where something lies that was made about its own middle.

    Attributes:
        x: of its middle.
        y: of its middle.
        scale: 1 is as it was made.
        tilt: degrees, clockwise.
    """

    x: float
    y: float
    scale: float = 1.0
    tilt: float = 0.0

    def put(self, points: npt.ArrayLike) -> Points:
        """`[N, 2]` points, moved there."""
        angle = np.radians(self.tilt)
        turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
        placed: Points = self.scale * np.asarray(points, np.float64) @ turn + (self.x, self.y)
        return placed

    def lay(self, shapes: list[Shape]) -> list[Shape]:
        """Shapes, moved there."""
        return [replace(shape, contours=tuple(self.put(contour) for contour in shape.contours)) for shape in shapes]
