"""How shapes become pixels: in colour, as a drawing in ink, or as classes. Every painter is given the same shapes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from training.world.character import Colour
from training.world.shapes import Shape, darker

Pixels = npt.NDArray[np.uint8]
Classes = npt.NDArray[np.uint8]

FINE = 4
"""How many times finer than the picture it is painted, each way."""
UNITS = 96
SHIFT = 4
RIM, INK_RIM = 1.1, 2.2
DARK, MIDDLE, PAPER = (30, 34, 84), (164, 128, 104), (250, 240, 214)
LEVELS = 7
BEHIND = 0.55
"""How dark a background in ink may be; 0 is ink and 1 is paper."""


def sheet(size: int, colour: Colour) -> Pixels:
    """An empty fine picture, uint8 `[4 * size, 4 * size, 3]`."""
    return np.full((size * FINE, size * FINE, 3), colour, np.uint8)


def paint(fine: Pixels, shapes: Iterable[Shape], style: str = "plain", behind: bool = False) -> None:
    """Paint shapes in 96ths of the picture on a fine picture.

    Args:
        fine: `[4 * size, 4 * size, 3]`, RGB; changed.
        shapes: from the back to the front.
        style: of `scene.STYLES`.
        behind: they are the background, which is lighter in ink.
    """
    import cv2

    unit = len(fine) / UNITS
    ink = style == "ink"
    width = _rim(style, unit)
    for shape in shapes:
        contours = _fixed(shape, unit)
        colour = inked(shape.colour, BEHIND if behind else 0.0) if ink else shape.colour
        cv2.fillPoly(fine, contours, colour, cv2.LINE_8, SHIFT)
        if shape.rim:
            cv2.polylines(fine, contours, True, DARK if ink else darker(colour, 0.22), width, cv2.LINE_8, SHIFT)


def paint_parts(fine: Classes, shapes: Iterable[Shape], style: str = "plain") -> None:
    """Paint the classes of the same shapes on `fine`, uint8 `[4 * size, 4 * size]`, with the rims that they have."""
    import cv2

    unit = len(fine) / UNITS
    width = _rim(style, unit)
    for shape in shapes:
        contours = _fixed(shape, unit)
        cv2.fillPoly(fine, contours, shape.part, cv2.LINE_8, SHIFT)
        if shape.rim:
            cv2.polylines(fine, contours, True, shape.part, width, cv2.LINE_8, SHIFT)


def shrunk(fine: Pixels) -> Pixels:
    """A fine picture at its size: each pixel is the mean of those of which it is made."""
    import cv2

    side = len(fine) // FINE
    small: Pixels = cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA)
    return small


def picked(fine: Classes) -> Classes:
    """Fine classes at the picture's size: each pixel has the class of its middle."""
    return np.ascontiguousarray(fine[FINE // 2 :: FINE, FINE // 2 :: FINE])


def inked(colour: Colour, least: float = 0.0) -> Colour:
    """A colour as a drawing in ink has it: few levels from dark blue over sepia to paper, by its luminance."""
    light = (float(np.dot(colour, (0.299, 0.587, 0.114))) / 255) ** 0.8
    level = round((least + (1 - least) * light) * (LEVELS - 1)) / (LEVELS - 1)
    red, green, blue = (
        round(float(np.interp(level, (0, 0.5, 1), stops))) for stops in zip(DARK, MIDDLE, PAPER, strict=True)
    )
    return red, green, blue


def _rim(style: str, unit: float) -> int:
    return max(round((INK_RIM if style == "ink" else RIM) * unit), 1)


def _fixed(shape: Shape, unit: float) -> list[npt.NDArray[np.int32]]:
    return [np.rint((contour * unit - 0.5) * (1 << SHIFT)).astype(np.int32) for contour in shape.contours]
