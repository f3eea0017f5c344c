"""A body without its head. Coordinates are about the middle of the head, y grows downwards."""

from __future__ import annotations

from dataclasses import dataclass

from training.world import parts
from training.world.character import CLOTHES, SKINS, Character
from training.world.pose import Pose
from training.world.shapes import Shape, box, capsule, corners, darker

Point = tuple[float, float]
TROUSERS = (62, 66, 96)
SHOES = (46, 38, 44)
STRIPES = (250, 248, 240)


@dataclass(frozen=True)
class Limbs:
    """Where the joints of a body lie about the head's middle, at scale 1; left and right are the image's."""

    neck: Point
    hip: Point
    hands: tuple[Point, Point]
    feet: tuple[Point, Point]


def limbs(pose: Pose) -> Limbs:
    """The joints of a body in a pose."""
    reach, lift = 3.5 * pose.swing, 14 * pose.cheer
    hands = (-16 - 3 * pose.cheer - reach, 33 - lift), (16 + 3 * pose.cheer - reach, 33 - lift)
    step = 4.5 * pose.swing
    feet = (-5.5 - step, 46 - max(step, 0) * 0.4), (5.5 + step, 46 + min(step, 0) * 0.4)
    return Limbs((0, 24), (0, 35), hands, feet)


def body(character: Character, pose: Pose) -> list[Shape]:
    """From the legs to the neck, about the middle of the head, at scale 1."""
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
    # CelebAMask-HQ has no hands; what is not background is kept of a picture.
    return [sleeve, Shape((capsule(*hand, *hand, 3.6),), SKINS[character.skin], parts.CLOTH)]


def _stripes(character: Character) -> list[Shape]:
    if character.pattern == "plain":
        return []
    colour = STRIPES if character.clothes != "white" else CLOTHES["blue"]
    return [Shape((box(-11.2, y, 11.2, y + 4),), colour, parts.CLOTH) for y in (25.5, 33.5)]
