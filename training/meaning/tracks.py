"""The face in the sampled frames of a clip: where it is, and whose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from standin_batch.face.detect import Detector, Face, largest
from training.world.draw import FRAMES, Clip

Floats = npt.NDArray[np.float64]

SAMPLED = tuple(range(0, FRAMES, 3))
"""Frames that are looked at: at the beginning, at the end, and at each quarter."""


@dataclass(frozen=True)
class Seen:
    """The largest face of each sampled frame.

    Attributes:
        faces: by the frame's place among the sampled ones, where one was found.
        frames: how many were looked at.
    """

    faces: Mapping[int, Face]
    frames: int = len(SAMPLED)

    @property
    def share(self) -> float:
        """Of the frames with a face."""
        return len(self.faces) / self.frames

    @property
    def centres(self) -> dict[int, Floats]:
        """The middle of each face's box, x and y in pixels."""
        return {place: centre(face.box) for place, face in self.faces.items()}

    @property
    def embedding(self) -> Floats | None:
        """The mean of the faces' embeddings, each of length 1, `[512]`; None if there are none."""
        known = [unit(face.embedding) for face in self.faces.values() if face.embedding is not None]
        return np.mean(known, axis=0) if known else None


def look(frames: Clip, detector: Detector) -> Seen:
    """Find the face in frames, uint8 `[T, H, W, 3]`, RGB."""
    found = (largest(detector.detect(np.ascontiguousarray(frame[..., ::-1]))) for frame in frames)
    return Seen({place: face for place, face in enumerate(found) if face is not None}, len(frames))


def centre(box: tuple[float, float, float, float]) -> Floats:
    """The middle of a box: x and y."""
    left, top, right, bottom = box
    return np.array([(left + right) / 2, (top + bottom) / 2])


def unit(embedding: npt.ArrayLike) -> Floats:
    """The same direction, of length 1; zeros stay zeros."""
    vector = np.asarray(embedding, np.float64)
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
