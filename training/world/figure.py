"""A whole character in a pose: head and body as shapes, and where its face lies."""

from __future__ import annotations

from dataclasses import dataclass

from training.world.body import Point, body
from training.world.character import Character
from training.world.hair import hair_behind
from training.world.head import head
from training.world.pose import Pose
from training.world.proportions import EAR, EYE_X, EYE_Y, MOUTH_X, MOUTH_Y, NOSE_TURN, NOSE_Y, size_of
from training.world.shapes import Shape


@dataclass(frozen=True)
class FaceTruth:
    """Where a face lies, in pixels; whole numbers are the middles of pixels.

    Attributes:
        box: left, top, right, bottom: from ear to ear and from the forehead to the chin.
        landmarks: (x, y) of the eyes, the tip of the nose and the corners of the mouth, the image's left first.
    """

    box: tuple[float, float, float, float]
    landmarks: tuple[Point, Point, Point, Point, Point]


def figure(character: Character, pose: Pose) -> list[Shape]:
    """All shapes of a character, from the back to the front, in units of a 96th of the picture."""
    behind = pose.head.lay(hair_behind(character))
    return [*behind, *pose.body.lay(body(character, pose)), *pose.head.lay(head(character, pose.look))]


def face_of(character: Character, pose: Pose, size: int) -> FaceTruth:
    """Where the face of `figure` lies in a picture of `size` pixels."""
    wide, high = size_of(character)
    x, y = pose.look.turn, pose.look.nod
    ends = pose.head.put([(-wide - EAR, -high), (wide + EAR, high)]) * (size / 96) - 0.5
    spots = [(x - EYE_X, y + EYE_Y), (x + EYE_X, y + EYE_Y), (x * NOSE_TURN, y + NOSE_Y)]
    spots += [(x - MOUTH_X, y + MOUTH_Y), (x + MOUTH_X, y + MOUTH_Y)]
    eyes_nose_mouth = pose.head.put(spots) * (size / 96) - 0.5
    a, b, c, d, e = ((float(px), float(py)) for px, py in eyes_nose_mouth)
    (left, right), (top, bottom) = sorted(map(float, ends[:, 0])), sorted(map(float, ends[:, 1]))
    return FaceTruth((left, top, right, bottom), (a, b, c, d, e))
