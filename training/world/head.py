"""A head with its face, and what it wears. Coordinates are about the middle of the head, y grows downwards."""

from __future__ import annotations

import numpy as np

from training.world import parts
from training.world.character import CLOTHES, SKINS, Character
from training.world.hair import beard_colour, hair_on_top, size_of
from training.world.pose import Pose
from training.world.shapes import Shape, arc, band, box, capsule, corners, darker, lighter, mixed, oval

EYE_X, EYE_Y = 8.2, -0.5
NOSE_Y = 5.5
MOUTH_X, MOUTH_Y = 5.0, 9.2
INK = (38, 30, 40)
SIDES = ((-1, 0), (1, 1))


def head(character: Character, pose: Pose) -> list[Shape]:
    """All of a head but the hair behind it, from the back to the front, at scale 1."""
    return [
        *_skull(character),
        *_cheeks(character, pose),
        *_beard(character, pose),
        *_mouth(pose),
        *_moustache(character, pose),
        *_nose(character, pose),
        *_lenses(character, pose),
        *_eyes(character, pose),
        *hair_on_top(character),
        *_brows(character, pose),
        *_glasses(character, pose),
        *HATTERS[character.hat](character),
    ]


def _skull(character: Character) -> list[Shape]:
    wide, high = size_of(character)
    skin = SKINS[character.skin]
    ears = [
        Shape((oval(side * (wide + 0.5), 2, 3.5, 5),), darker(skin, 0.1), parts.EARS[index], rim=True)
        for side, index in SIDES
    ]
    return [*ears, Shape((oval(0, 0, wide, high, 2.4),), skin, parts.SKIN, rim=True)]


def _cheeks(character: Character, pose: Pose) -> list[Shape]:
    wide, _ = size_of(character)
    rosy = mixed(SKINS[character.skin], (244, 92, 92), 0.38)
    x, y = pose.turn, 7 + pose.nod
    return [Shape((oval(x + side * (wide - 5.5), y, 3.8, 3.2),), rosy, parts.SKIN) for side, _ in SIDES]


def _eyes(character: Character, pose: Pose) -> list[Shape]:
    return [
        shape
        for side, index in SIDES
        for shape in _eye(character, pose.turn + side * EYE_X, EYE_Y + pose.nod, parts.EYES[index])
    ]


def _eye(character: Character, x: float, y: float, part: int) -> list[Shape]:
    if character.eyes == "happy":
        return [Shape((band(arc(x, y + 2, 4.2, 4.4, 180, 360), 2.6),), INK, part)]
    if character.eyes == "blue":
        return [
            Shape((oval(x, y, 4.8, 5.2),), (255, 255, 255), part),
            Shape((oval(x, y + 0.6, 3.3, 3.7),), (40, 120, 220), part),
            Shape((oval(x, y + 0.8, 1.7, 1.9),), INK, part),
        ]
    return [
        Shape((oval(x, y, 3.6, 4.8),), INK, part),
        Shape((oval(x + 1.1, y - 1.8, 1.5, 1.7),), (255, 255, 255), part),
    ]


def _brows(character: Character, pose: Pose) -> list[Shape]:
    x, y = pose.turn, EYE_Y - 7.0 + pose.nod
    colour = darker(beard_colour(character), 0.2)
    return [
        Shape((capsule(x + side * (EYE_X - 3), y, x + side * (EYE_X + 3), y + 0.6, 1.2),), colour, parts.BROWS[index])
        for side, index in SIDES
    ]


def _nose(character: Character, pose: Pose) -> list[Shape]:
    return [
        Shape((oval(pose.turn * 1.3, NOSE_Y + pose.nod, 2.4, 1.8),), darker(SKINS[character.skin], 0.2), parts.NOSE)
    ]


def _mouth(pose: Pose) -> list[Shape]:
    x, y = pose.turn, MOUTH_Y + pose.nod
    return [
        Shape((arc(x, y, MOUTH_X, 2.2 + 2.6 * pose.smile, 0, 180),), (204, 46, 58), parts.MOUTH),
    ]


def _beard(character: Character, pose: Pose) -> list[Shape]:
    if character.beard != "full":
        return []
    wide, high = size_of(character)
    outer = arc(0, 2, wide + 1.2, high + 1, 0, 180)
    inner = arc(pose.turn, 2, wide - 3, 6.5 + pose.nod * 0.7, 180, 0)
    return [Shape((np.concatenate([outer, inner]),), beard_colour(character), parts.SKIN)]


def _moustache(character: Character, pose: Pose) -> list[Shape]:
    if character.beard == "none":
        return []
    x, y = pose.turn, MOUTH_Y - 1.6 + pose.nod
    ends = 9.0 if character.beard == "moustache" else 7.0
    return [
        Shape((capsule(x + side * 2, y - 0.6, x + side * ends, y + 1.2, 2.2),), beard_colour(character), parts.SKIN)
        for side, _ in SIDES
    ]


def _lenses(character: Character, pose: Pose) -> list[Shape]:
    """What round glasses have inside of their rings."""
    if character.glasses != "round":
        return []
    glass = mixed(SKINS[character.skin], (226, 240, 250), 0.6)
    return [Shape((oval(*_lens(pose, side), 7, 7),), glass, parts.GLASSES) for side, _ in SIDES]


def _glasses(character: Character, pose: Pose) -> list[Shape]:
    if character.glasses == "none":
        return []
    bars = _bars(character, pose)
    if character.glasses == "dark":
        (ax, y), (bx, _) = _lens(pose, -1), _lens(pose, 1)
        return bars + [Shape((oval(x, y + 0.8, 7.2, 6, 3),), INK, parts.GLASSES) for x in (ax, bx)]
    spots = [_lens(pose, side) for side, _ in SIDES]
    return bars + [Shape((oval(x, y, 8, 8), oval(x, y, 5.7, 5.7)), INK, parts.GLASSES) for x, y in spots]


def _lens(pose: Pose, side: int) -> tuple[float, float]:
    return pose.turn + side * 8.4, EYE_Y + pose.nod


def _bars(character: Character, pose: Pose) -> list[Shape]:
    """Between the lenses and from them to the ears."""
    wide, _ = size_of(character)
    x, y = pose.turn, EYE_Y + pose.nod - 1
    ends = [(x - 2, x + 2), (-wide, x - 14), (x + 14, wide)]
    return [Shape((capsule(start, y, end, y, 1.2),), INK, parts.GLASSES) for start, end in ends if start < end]


def _no_hat(character: Character) -> list[Shape]:
    return []


def _cap(character: Character) -> list[Shape]:
    wide, high = size_of(character)
    colour = CLOTHES[character.hat_colour]
    dome = arc(0, -8, wide + 2.5, high - 3, 180, 360)
    return [
        Shape((dome,), colour, parts.HAT, rim=True),
        Shape((oval(0, -9, wide + 0.5, 4.4),), darker(colour, 0.25), parts.HAT, rim=True),
    ]


def _beanie(character: Character) -> list[Shape]:
    wide, high = size_of(character)
    colour = CLOTHES[character.hat_colour]
    return [
        Shape((oval(0, -high - 5.5, 5.2, 5.2),), lighter(colour, 0.55), parts.HAT, rim=True),
        Shape((arc(0, -8, wide + 2, high - 2, 180, 360),), colour, parts.HAT, rim=True),
        Shape((capsule(-wide + 0.5, -9.5, wide - 0.5, -9.5, 3.8),), lighter(colour, 0.55), parts.HAT, rim=True),
    ]


def _top_hat(character: Character) -> list[Shape]:
    wide, _ = size_of(character)
    dark = (70, 62, 86)
    return [
        Shape((corners((-14, -30), (14, -30), (12.5, -12), (-12.5, -12)),), dark, parts.HAT, rim=True),
        Shape((box(-13, -18.5, 13, -13),), CLOTHES[character.hat_colour], parts.HAT),
        Shape((capsule(-wide - 2, -11.5, wide + 2, -11.5, 2.6),), dark, parts.HAT, rim=True),
    ]


HATTERS = {"none": _no_hat, "cap": _cap, "beanie": _beanie, "top": _top_hat}
