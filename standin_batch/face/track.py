"""Which faces of a clip are one person's, and which person is meant: from detections to tracks to the target.

Pure: the detections come from elsewhere, and nobody's face is changed here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from standin_batch.errors import StandinError
from standin_batch.face.detect import Box, Face

SAME = 0.4
"""The cosine of two embeddings from which they are one person's, wherever the faces are."""
DIFFERENT = 0.2
"""The cosine below which two embeddings are two persons', even at the same place."""
NEAR = 0.2
"""How much boxes overlap, -1..1, from which they may be one face that moved: half a face's width a frame passes."""
MAX_GAP = 12
"""For how many frames a face may be missed and yet count as being where it was: half a second of film."""
MAX_MOVE = 2.0
"""How far a face may go unseen, in its own size, and be thought of as having gone there in a straight line."""
LIKE = 0.3
"""The least mean cosine between a photograph and the faces of the person it is taken for."""

Target = Literal["largest"] | int
Embedding = npt.NDArray[np.float32]


class TargetError(StandinError):
    """The clip shows nobody who could be meant."""


@dataclass(frozen=True)
class Track:
    """One person's faces in a clip.

    Attributes:
        faces: by the frame's index, in order; at least one.
    """

    faces: Mapping[int, Face]

    @property
    def first(self) -> int:
        """The index of the first frame with a face."""
        return min(self.faces)

    @property
    def last(self) -> int:
        """The index of the last frame with a face."""
        return max(self.faces)

    @property
    def area(self) -> float:
        """Of all boxes together, in pixels."""
        return sum(face.area for face in self.faces.values())

    def likeness(self, embedding: Embedding) -> float | None:
        """The mean cosine between `embedding`, `[512]`, and those of the faces; None if they have none."""
        known = [face.embedding for face in self.faces.values() if face.embedding is not None]
        return float(np.mean([_unit(one) @ _unit(embedding) for one in known])) if known else None


def tracks(frames: Sequence[Sequence[Face]]) -> tuple[Track, ...]:
    """Link the faces of a clip into people.

    A face goes to the person it is most like in looks and place. Alike embeddings link wherever the faces are, so that
    a person is known again after a cut; unlike ones never do, even if one walks into the other's place. What is in
    between, or has no embedding, is linked if the box is near the last known one, at most `MAX_GAP` frames later.

    Args:
        frames: the faces of each frame, in any order.

    Returns:
        People, by their first frame, then from left to right. Each face is in exactly one track.
    """
    people: list[_Person] = []
    for index, faces in enumerate(frames):
        _assign(people, index, sorted(faces, key=lambda face: face.box))
    return tuple(Track(person.faces) for person in people)


def choose(found: Sequence[Track], target: Target = "largest", like: Embedding | None = None) -> Track:
    """The person that is meant.

    Args:
        found: what `tracks` gave.
        target: `largest` for the greatest sum of box areas over all frames; or a number, counted from 0, from left to
            right among the faces of the first frame that has any.
        like: the embedding of a photograph, `[512]`; the person most like it, whatever `target` says.

    Raises:
        TargetError: if there is no face at all, nobody like the photograph, or nobody of that number.
    """
    if not found:
        raise TargetError("no face was found in any frame", "take a video in which a face is turned to the camera")
    if like is not None:
        return _most_like(found, like)
    if target == "largest":
        return max(found, key=lambda track: track.area)
    together = [track for track in found if track.first == found[0].first]
    if not 0 <= target < len(together):
        raise TargetError(
            f"there is no face {target}: frame {found[0].first}, the first with any, shows {len(together)}",
            f"write `target: largest`, or a number from 0, the leftmost, to {len(together) - 1}",
        )
    return together[target]


def fill(track: Track, others: Sequence[Track] = ()) -> dict[int, Face]:
    """Faces for the frames in which the person was missed: box and landmarks on a straight line between neighbours.

    A gap of more than `MAX_GAP` frames, or to somewhere else in the picture, is an absence or another scene, and stays
    one. So does a frame that shows somebody else in that place.

    Args:
        track: of the person.
        others: everybody else.
    """
    filled = {
        index: _between(one, other, (index - before) / (after - before))
        for (before, one), (after, other) in pairwise(track.faces.items())
        if after - before - 1 <= MAX_GAP and _moved(one, other) <= MAX_MOVE
        for index in range(before + 1, after)
    }
    return {index: face for index, face in filled.items() if not _taken(index, face, others)}


def _moved(one: Face, other: Face) -> float:
    """How far a face went, in its own size."""
    (x, y), (u, v) = (((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for box in (one.box, other.box))
    return math.hypot(u - x, v - y) / max(math.sqrt((one.area + other.area) / 2), 1.0)


def _taken(index: int, face: Face, others: Iterable[Track]) -> bool:
    shown = (other.faces[index] for other in others if index in other.faces)
    return any(overlap(face.box, other.box) >= NEAR for other in shown)


class _Person:
    """A track while it grows."""

    def __init__(self, index: int, face: Face) -> None:
        self.faces = {index: face}
        self.looks: Embedding | None = None
        self.mean: Embedding | None = None
        self._learn(face)

    def add(self, index: int, face: Face) -> None:
        self.faces[index] = face
        self._learn(face)

    def _learn(self, face: Face) -> None:
        if face.embedding is not None:
            self.looks = _unit(face.embedding)
            self.mean = self.looks if self.mean is None else self.mean + self.looks

    def bond(self, index: int, face: Face) -> float | None:
        """How well `face`, of the frame `index`, continues this person; None if not at all."""
        latest = max(self.faces)
        place = overlap(self.faces[latest].box, face.box)
        stayed = place >= NEAR and index - latest - 1 <= MAX_GAP
        if face.embedding is None or self.looks is None or self.mean is None:
            return place if stayed else None
        # A head that turns away grows unlike its mean, but not unlike the frame before.
        cosine = max(float(known @ _unit(face.embedding)) for known in (self.looks, _unit(self.mean)))
        return cosine + place if cosine >= SAME or (cosine >= DIFFERENT and stayed) else None


def overlap(one: Box, other: Box) -> float:
    """The generalised intersection over union of two boxes, -1..1: 1 if equal, negative if far apart.

    Unlike the plain one it still tells near from far when nothing overlaps (Rezatofighi et al., arXiv:1902.09630).
    """
    shared = _area(map(max, one[:2], other[:2]), map(min, one[2:], other[2:]))
    union = _area(one[:2], one[2:]) + _area(other[:2], other[2:]) - shared
    hull = _area(map(min, one[:2], other[:2]), map(max, one[2:], other[2:]))
    return shared / union - (hull - union) / hull if union else -1.0


def _area(start: Iterable[float], end: Iterable[float]) -> float:
    width, height = (max(high - low, 0.0) for low, high in zip(start, end, strict=True))
    return width * height


def _assign(people: list[_Person], index: int, faces: Sequence[Face]) -> None:
    """Give each of one frame's faces to a person, the strongest bond first, or make it a new person."""
    bonds = sorted(
        (-bond, number, place)
        for number, person in enumerate(people)
        for place, face in enumerate(faces)
        if (bond := person.bond(index, face)) is not None
    )
    taken: dict[int, int] = {}
    for _, number, place in bonds:
        if place not in taken and number not in taken.values():
            taken[place] = number
    for place, face in enumerate(faces):
        if place in taken:
            people[taken[place]].add(index, face)
        else:
            people.append(_Person(index, face))


def _most_like(found: Sequence[Track], like: Embedding) -> Track:
    known = [(likeness, track) for track in found if (likeness := track.likeness(like)) is not None]
    if not known:
        raise TargetError("the faces were found without embeddings", "load the detector with its embedding model")
    likeness, track = max(known, key=lambda pair: pair[0])
    if likeness < LIKE:
        raise TargetError(
            f"none of the {len(found)} people in the video looks like the photograph: "
            f"the best likeness is {likeness:.2f}, and {LIKE} is the least",
            "take another photograph of the person, or write `target` instead of `target_image`",
        )
    return track


def _between(one: Face, other: Face, share: float) -> Face:
    """What lies at `share`, 0..1, of the way; no detector saw it, so it has no embedding."""
    left, top, right, bottom = (_mix(a, b, share) for a, b in zip(one.box, other.box, strict=True))
    landmarks = tuple(
        (_mix(x, u, share), _mix(y, v, share)) for (x, y), (u, v) in zip(one.landmarks, other.landmarks, strict=True)
    )
    score = min(one.score, other.score)
    return replace(one, box=(left, top, right, bottom), landmarks=landmarks, score=score, embedding=None)


def _mix(one: float, other: float, share: float) -> float:
    return one + (other - one) * share


def _unit(embedding: Embedding) -> Embedding:
    """Of length 1; one of length 0 stays as it is, like nobody."""
    length = float(np.linalg.norm(embedding))
    return (embedding / length if length else embedding).astype(np.float32)
