"""The scores of one written video: which of its frames are looked at, and by what."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from standin_batch.face.detect import Detector
from standin_batch.media.video import VideoInfo, read_frames
from standin_batch.scores.frames import motion, perceptual_hash, sharpness
from standin_batch.scores.likeness import Embedding, likeness
from standin_batch.scores.table import Scores

DIGITS = 4
"""After the point: more would tell of the rounding of the codec."""

Frame = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Person:
    """Who a clip should show.

    Attributes:
        embedding: of the photograph, `[512]`.
        detector: gives embeddings.
    """

    embedding: Embedding
    detector: Detector


def score_video(path: Path, info: VideoInfo, samples: int, person: Person | None) -> Scores:
    """Look at a written video.

    Args:
        path: of the mp4: what its viewers will see, not what it was encoded from.
        info: what it is.
        samples: frames to look at, at least 1; all of them where there are fewer.
        person: None of a clip that shows no person of a photograph: it has no face scores then.

    Returns:
        Its scores by name, as `table.SCORES` has them.

    Raises:
        VideoInputError: if it cannot be read.
    """
    sampled = sample(info.num_frames, samples)
    ends = (0, info.num_frames // 2, info.num_frames - 1)
    after = [index + 1 for index in sampled if index + 1 < info.num_frames]
    frames = _read(path, info, {*sampled, *ends, *after})
    shown = [frames[index] for index in sampled]
    found: dict[str, float | None] = {} if person is None else likeness(shown, person.embedding, person.detector)
    found["sharpness"] = sharpness(shown)
    if after:
        found["motion"] = motion([(frames[index - 1], frames[index]) for index in after], info.fps)
    rounded = {name: None if value is None else round(value, DIGITS) for name, value in found.items()}
    hashed = perceptual_hash([frames[index] for index in ends])
    return {**rounded, "perceptual_hash": hashed, "scored_frames": len(sampled)}


def sample(num_frames: int, wanted: int) -> list[int]:
    """The indices of `wanted` frames, evenly spread from the first to the last; all where there are no more."""
    if wanted >= num_frames:
        return list(range(num_frames))
    return [round(index) for index in np.linspace(0, num_frames - 1, wanted)]


def _read(path: Path, info: VideoInfo, indices: Collection[int]) -> dict[int, Frame]:
    with contextlib.closing(read_frames(path, info)) as frames:
        return {index: frame for index, frame in zip(range(max(indices) + 1), frames, strict=False) if index in indices}
