"""Squares about a face, as the parser is shown them, with the class of every pixel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from standin_batch.face.detect import Box
from standin_batch.face.subject import SIDE, crop_around, cut_square
from training.faces.pictures import Picture

SHAKY = 0.04
"""How far a box may be off, as a share of its sides: a standard deviation."""

Classes = npt.NDArray[np.uint8]


def square(picture: Picture, rng: np.random.Generator | None = None) -> Picture:
    """The square about the face, 512 pixels a side, and its classes; with `rng`, about a box that is a little off."""
    import cv2

    if picture.truth is None or picture.classes is None:
        raise ValueError("without a face and classes there is nothing to cut")
    height, width = picture.pixels.shape[:2]
    crop = crop_around(picture.truth.box if rng is None else _shaken(picture.truth.box, rng), width, height)
    cut = cut_square(picture.pixels, crop)
    finer = len(picture.classes) // height
    left, top, right, bottom = (value * finer for value in crop)
    x, y = (value * finer for value in cut.corner)
    whole = np.zeros((cut.side * finer,) * 2, np.uint8)
    whole[top - y : bottom - y, left - x : right - x] = picture.classes[top:bottom, left:right]
    classes: Classes = cv2.resize(whole, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    return Picture(cut.pixels, None, classes)


def _shaken(box: Box, rng: np.random.Generator) -> Box:
    left, top, right, bottom = box
    dx, dy, dw, dh = rng.normal(0, SHAKY, 4)
    width, height = right - left, bottom - top
    x, y = left + dx * width, top + dy * height
    return x, y, x + width * (1 + 2 * dw), y + height * (1 + 2 * dh)
