"""Faces as the embedder is shown them: turned, sized and cut so that the landmarks lie where ArcFace has them."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from standin_batch.face.paste import Points, similarity
from standin_batch.face.subject import Pixels

SIDE = 112
SHAKY = 0.035
"""How far, in distances between the eyes, landmarks may be off: a detector's error, as a standard deviation."""


def aligned(pixels: Pixels, landmarks: npt.ArrayLike, rng: np.random.Generator | None = None) -> Pixels:
    """The face as insightface cuts it, `[112, 112, 3]`; with `rng`, by landmarks that are a little off."""
    import cv2

    places = np.asarray(landmarks, np.float64)
    if rng is not None:
        between = np.hypot(*(places[1] - places[0]))
        # All of them together are off, and each by itself.
        places = places + between * SHAKY * (rng.standard_normal((1, 2)) + rng.standard_normal(places.shape))
    cut: Pixels = cv2.warpAffine(pixels, similarity(places, _where()), (SIDE, SIDE))
    return cut


@cache
def _where() -> Points:
    from insightface.utils.face_align import arcface_dst

    return np.asarray(arcface_dst, np.float64)
