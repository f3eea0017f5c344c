"""A whole character in a pose: head and body as shapes, and where its face lies."""

from __future__ import annotations

from dataclasses import dataclass

from training.world import parts
from training.world.character import CLOTHES, SKINS, Character
from training.world.hair import hair_behind, size_of
from training.world.head import EYE_X, EYE_Y, MOUTH_X, MOUTH_Y, NOSE_Y, head
from training.world.pose import Pose
from training.world.shapes import Shape, box, capsule, corners, darker

Point = tuple[float, float]
TROUSERS = (62, 66, 96)
SHOES = (46, 38, 44)


@dataclass(frozen=True)
class FaceTruth:
    """Where a face lies, in pixels; whole numbers are the middles of pixels.

    Attributes:
        box: left, top, right, bottom: from ear to ear and from the forehead to the chin.
        landmarks: (x, y) of the eyes, the tip of the nose and the corners of the mouth, the image's left first.
    """

    box: tuple[float, float, float, float]
    landmarks: tuple[Point, Point, Point, Point, Point]


@dataclass(frozen=True)
class Limbs:
    """Where the joints of a body lie about the head's middle, at scale 1; left and right are the image's."""

    neck: Point
    hip: Point
    hands: tuple[Point, Point]
    feet: tuple[Point, Point]


def figure(character: Character, pose: Pose) -> list[Shape]:
    """All shapes of a character, from the back to the front, in units of a 96th of the picture."""
    behind = pose.head.lay(hair_behind(character))
    return [*behind, *pose.body.lay(_body(character, pose)), *pose.head.lay(head(character, pose))]


def face_of(character: Character, pose: Pose, size: int) -> FaceTruth:
    """Where the face of `figure` lies in a picture of `size` pixels."""
    wide, high = size_of(character)
    x, y = pose.turn, pose.nod
    ends = pose.head.put([(-wide - 3, -high), (wide + 3, high)]) * (size / 96) - 0.5
    spots = [(x - EYE_X, y + EYE_Y), (x + EYE_X, y + EYE_Y), (x * 1.3, y + NOSE_Y)]
    spots += [(x - MOUTH_X, y + MOUTH_Y), (x + MOUTH_X, y + MOUTH_Y)]
    eyes_nose_mouth = pose.head.put(spots) * (size / 96) - 0.5
    a, b, c, d, e = ((float(px), float(py)) for px, py in eyes_nose_mouth)
    (left, right), (top, bottom) = sorted(map(float, ends[:, 0])), sorted(map(float, ends[:, 1]))
    return FaceTruth((left, top, right, bottom), (a, b, c, d, e))


def limbs(pose: Pose) -> Limbs:
    """The joints of a body in a pose."""
    reach, lift = 3.5 * pose.swing, 14 * pose.cheer
    hands = (-16 - 3 * pose.cheer - reach, 33 - lift), (16 + 3 * pose.cheer - reach, 33 - lift)
    step = 4.5 * pose.swing
    feet = (-5.5 - step, 46 - max(step, 0) * 0.4), (5.5 + step, 46 + min(step, 0) * 0.4)
    return Limbs((0, 20), (0, 35), hands, feet)


def _body(character: Character, pose: Pose) -> list[Shape]:
    joints = limbs(pose)
    cloth, skin = CLOTHES[character.clothes], SKINS[character.skin]
    legs = [_leg(side, foot) for side, foot in zip((-1, 1), joints.feet, strict=True)]
    arms = [_arm(side, hand, character) for side, hand in zip((-1, 1), joints.hands, strict=True)]
    neck = Shape((box(-4, 12, 4, 24),), darker(skin, 0.12), parts.NECK)
    torso = Shape((corners((-8, 20), (8, 20), (11, 24), (12, 40), (-12, 40), (-11, 24)),), cloth, parts.CLOTH, rim=True)
    return [*(s for leg in legs for s in leg), *(s for arm in arms for s in arm), torso, *_stripes(character), neck]


def _leg(side: int, foot: Point) -> list[Shape]:
    x, y = foot
    return [
        Shape((capsule(side * 5.5, 37, x, y - 2, 4.6),), TROUSERS, parts.CLOTH, rim=True),
        Shape((capsule(x - 1.5, y + 0.6, x + 1.5, y + 0.6, 3.4),), SHOES, parts.CLOTH),
    ]


def _arm(side: int, hand: Point, character: Character) -> list[Shape]:
    sleeve = Shape((capsule(side * 9, 25, *hand, 3.6),), darker(CLOTHES[character.clothes], 0.1), parts.CLOTH, rim=True)
    return [sleeve, Shape((capsule(*hand, *hand, 3.6),), SKINS[character.skin], 0)]


def _stripes(character: Character) -> list[Shape]:
    if character.pattern == "plain":
        return []
    colour = (250, 248, 240) if character.clothes != "white" else (48, 92, 200)
    return [Shape((box(-11.2, y, 11.2, y + 4),), colour, parts.CLOTH) for y in (25.5, 33.5)]
