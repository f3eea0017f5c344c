"""Where shapes lie that were made about their own middle."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.world.shapes import Points, Shape


@dataclass(frozen=True)
class Place:
    """Where something lies.

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
        placed: Points = np.asarray(points, np.float64) @ (self.scale * turn) + (self.x, self.y)
        return placed

    def lay(self, shapes: Iterable[Shape]) -> list[Shape]:
        """Shapes, moved there."""
        shapes = list(shapes)
        contours = [contour for shape in shapes for contour in shape.contours]
        if not contours:
            return []
        ends = np.cumsum([len(contour) for contour in contours])[:-1]
        moved = iter(np.split(self.put(np.concatenate(contours)), ends))
        return [
            Shape(tuple(next(moved) for _ in shape.contours), shape.colour, shape.part, shape.rim) for shape in shapes
        ]
