"""How well the detector finds the faces of unseen characters, as `InsightFaceDetector` loads it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from standin_batch.face.detect import Face, InsightFaceDetector, fitting
from standin_batch.face.subject import Pixels
from training.faces.pictures import nobody
from training.faces.unseen import clip_of, shots, spoilt, unseen
from training.world.draw import SIZE
from training.world.figure import FaceTruth
from training.world.portrait import portrait, portrait_truth
from training.world.scene import STYLES

FOUND = 0.5
"""Share that a found box and the true one have in common, of what they cover together."""
EMPTY = 60
"""Pictures without anybody."""


def measured(folder: Path, characters: int) -> dict[str, float]:
    """Shares of faces found, boxes that are none, and errors in pixels.

    Args:
        folder: of the detector.
        characters: how many, each in a plain clip, in one in ink and in a portrait.
    """
    small, large = InsightFaceDetector(folder, "cpu", size=fitting(SIZE, SIZE)), InsightFaceDetector(folder, "cpu")
    numbers: dict[str, float] = {}
    for style in STYLES:
        for spoils in (False, True):
            seen = [
                (_found(small, spoilt(shot.pixels, index) if spoils else shot.pixels), shot.truth)
                for index, who in enumerate(unseen(characters))
                for shot in shots(clip_of(who, index, style))
            ]
            numbers |= _summary(f"{style}_spoilt" if spoils else style, seen)
    portraits = [
        (_found(large, portrait(who, view=view)), portrait_truth(who, view=view))
        for view, who in enumerate(unseen(characters))
    ]
    numbers |= _summary("portrait", portraits)
    rng = np.random.default_rng(0)
    empty = [nobody(rng).pixels for _ in range(EMPTY)]
    numbers["empty_false"] = float(np.mean([len(_found(small, pixels)) for pixels in empty]))
    numbers["empty_false_at_640"] = float(np.mean([len(_found(large, pixels)) for pixels in empty[:12]]))
    return numbers


def common(one: Sequence[float], other: Sequence[float]) -> float:
    """What two boxes share of what they cover together."""
    (a, b, c, d), (e, f, g, h) = one, other
    shared = max(min(c, g) - max(a, e), 0) * max(min(d, h) - max(b, f), 0)
    return shared / ((c - a) * (d - b) + (g - e) * (h - f) - shared)


def _found(detector: InsightFaceDetector, pixels: Pixels) -> list[Face]:
    return detector.detect(np.ascontiguousarray(pixels[..., ::-1]))


def _summary(name: str, seen: Sequence[tuple[Sequence[Face], FaceTruth]]) -> dict[str, float]:
    right = [(face, truth) for faces, truth in seen for face in faces[:1] if common(face.box, truth.box) > FOUND]
    boxes = [np.abs(np.subtract(face.box, truth.box)) for face, truth in right]
    landmarks = [np.hypot(*np.subtract(face.landmarks, truth.landmarks).T) for face, truth in right]
    numbers = {
        f"{name}_recall": len(right) / len(seen),
        f"{name}_false": sum(len(faces) for faces, _ in seen) / len(seen) - len(right) / len(seen),
    }
    if right:
        numbers |= {
            f"{name}_box_error": float(np.mean(boxes)),
            f"{name}_landmark_error": float(np.mean(landmarks)),
            f"{name}_landmark_error_p95": float(np.percentile(landmarks, 95)),
        }
    return numbers
