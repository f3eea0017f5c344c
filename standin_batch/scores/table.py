"""The table of scores: what each is called, what it says, and which of them a job can ask for.

A score is absent where it says nothing (of a clip without a person there is no face to compare), and null where it
could have been there and is not (no frame shows a face).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Scores = Mapping[str, Any]
"""Scores of one clip by name."""


@dataclass(frozen=True)
class Score:
    """One score.

    Attributes:
        name: in records, in the index and in `accept`.
        kind: `number`, `integer` or `text`, as the index has it.
        about: what it says, with its unit or range.
        lowest: that makes sense.
        highest: that makes sense; None for no end.
        can_decide: whether a job can ask for it.
        of_face: whether only clips of a person have it.
    """

    name: str
    kind: str
    about: str
    lowest: float = 0.0
    highest: float | None = None
    can_decide: bool = True
    of_face: bool = False


SCORES = (
    Score(
        "face_similarity",
        "number",
        "Mean cosine between the identity's face and the one most like it in each sampled frame with a face, -1 to 1.",
        lowest=-1.0,
        highest=1.0,
        of_face=True,
    ),
    Score("face_similarity_min", "number", "The least of these cosines.", lowest=-1.0, highest=1.0, of_face=True),
    Score("face_similarity_p10", "number", "Their 10th percentile.", lowest=-1.0, highest=1.0, of_face=True),
    Score("face_frames", "number", "Share of the sampled frames with a face, 0 to 1.", highest=1.0, of_face=True),
    Score("sharpness", "number", "Mean variance of the Laplacian of the sampled frames' luma; small where blurred."),
    Score("motion", "number", "Mean length of the optical flow, in hundredths of the picture's diagonal a second."),
    Score(
        "perceptual_hash", "text", "pHash of the first, middle and last frame, 48 hexadecimal digits.", can_decide=False
    ),
    Score("scored_frames", "integer", "Frames that were looked at, evenly spread.", can_decide=False),
)
"""All scores, in the order of the index's columns."""

DECIDING = {score.name: score for score in SCORES if score.can_decide}
"""Those that `accept` can name."""
