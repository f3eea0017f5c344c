"""How well the embedder knows unseen characters again: frames of clips against portraits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from standin_batch.face.subject import Pixels
from training.faces.aligned import aligned
from training.faces.unseen import clip_of, shots, spoilt, unseen
from training.world.portrait import portrait, portrait_truth
from training.world.scene import STYLES

Floats = npt.NDArray[np.float32]
SHOWN = 6
"""Rows of the sheet, and portraits behind each frame."""
SAME, OTHER = 0.6, 0.3
"""Cosines that one character's pictures should reach, and two characters' should not."""


@dataclass(frozen=True)
class Compared:
    """Frames against portraits.

    Attributes:
        frames: aligned faces of clips.
        styles: of each frame, the clip's.
        owners: of each frame, the index of its character.
        portraits: aligned faces, one a character.
        cosines: `[frames, portraits]`.
    """

    frames: list[Pixels]
    styles: list[str]
    owners: npt.NDArray[np.int64]
    portraits: list[Pixels]
    cosines: Floats


def compared(path: Path, characters: int) -> Compared:
    """Embed unseen characters by the embedder at `path`, faces aligned by their true landmarks.

    Args:
        path: of the ONNX file.
        characters: how many; of each a portrait and some blurred and noisy frames in either style.
    """
    frames, styles, owners = [], [], []
    for index, who in enumerate(unseen(characters)):
        for style in STYLES:
            for number, shot in enumerate(shots(clip_of(who, index, style))):
                frames.append(aligned(spoilt(shot.pixels, index * 100 + number), shot.truth.landmarks))
                styles.append(style)
                owners.append(index)
    faces = [aligned(portrait(who), portrait_truth(who).landmarks) for who in unseen(characters)]
    one, other = embedded(path, frames), embedded(path, faces)
    return Compared(frames, styles, np.array(owners), faces, one @ other.T)


def embedded(path: Path, faces: list[Pixels]) -> Floats:
    """Unit embeddings `[N, 512]` of aligned faces, as insightface computes them."""
    from insightface.model_zoo.arcface_onnx import ArcFaceONNX
    from onnxruntime import InferenceSession

    session = InferenceSession(str(path), providers=["CPUExecutionProvider"])
    model = ArcFaceONNX(str(path), session)
    found = np.stack([model.get_feat(np.ascontiguousarray(face[..., ::-1])).flatten() for face in faces])
    unit: Floats = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def measured(found: Compared) -> dict[str, float]:
    """Shares of frames whose nearest portrait is the right one, and what the cosines are, by style."""
    numbers: dict[str, float] = {}
    for style in STYLES:
        rows = np.array([name == style for name in found.styles])
        numbers |= {
            f"{style}_{name}": value for name, value in _summary(found.cosines[rows], found.owners[rows]).items()
        }
    return numbers


def retrieved(found: Compared) -> list[list[Pixels]]:
    """Rows of a frame and the portraits that are nearest to it."""
    step = max(len(found.frames) // SHOWN, 1)
    return [
        [found.frames[row], *(found.portraits[place] for place in np.argsort(-found.cosines[row])[: SHOWN - 1])]
        for row in range(0, len(found.frames), step)
    ]


def _summary(cosines: Floats, owners: npt.NDArray[np.int64]) -> dict[str, float]:
    own = cosines[np.arange(len(owners)), owners]
    others = cosines[np.arange(cosines.shape[1]) != owners[:, None]]
    return {
        "top1": float(np.mean(cosines.argmax(axis=1) == owners)),
        "same_mean": float(own.mean()),
        "same_p05": float(np.percentile(own, 5)),
        "other_mean": float(others.mean()),
        "other_p95": float(np.percentile(others, 95)),
        "other_p99": float(np.percentile(others, 99)),
        "same_below_limit": float(np.mean(own < SAME)),
        "other_above_limit": float(np.mean(others > OTHER)),
    }
