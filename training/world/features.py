"""What a face consists of. Coordinates are about the middle of the head, y grows downwards."""

from __future__ import annotations

import numpy as np

from training.world import parts
from training.world.character import SKINS, Character
from training.world.hair import beard_colour
from training.world.proportions import EYE_X, EYE_Y, MOUTH_X, MOUTH_Y, NOSE_TURN, NOSE_Y, SIDES, Look, size_of
from training.world.shapes import Shape, arc, band, capsule, darker, mixed, oval

INK = (38, 30, 40)
LIPS = (204, 46, 58)
ROSY = (244, 92, 92)


def cheeks(character: Character, look: Look) -> list[Shape]:
    """Rosy ones."""
    wide, _ = size_of(character)
    rosy = mixed(SKINS[character.skin], ROSY, 0.38)
    x, y = look.turn, 7 + look.nod
    return [Shape((oval(x + side * (wide - 5.5), y, 3.8, 3.2),), rosy, parts.SKIN) for side, _ in SIDES]


def eyes(character: Character, look: Look) -> list[Shape]:
    """Both, without what is worn on them."""
    return [
        shape
        for side, index in SIDES
        for shape in _eye(character, look.turn + side * EYE_X, EYE_Y + look.nod, parts.EYES[index])
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


def brows(character: Character, look: Look) -> list[Shape]:
    """Both; they are seen through hair."""
    x, y = look.turn, EYE_Y - 7.0 + look.nod
    colour = darker(beard_colour(character), 0.2)
    return [
        Shape((capsule(x + side * (EYE_X - 3), y, x + side * (EYE_X + 3), y + 0.6, 1.2),), colour, parts.BROWS[index])
        for side, index in SIDES
    ]


def nose(character: Character, look: Look) -> list[Shape]:
    """A small one."""
    x, y = look.turn * NOSE_TURN, NOSE_Y + look.nod
    return [Shape((oval(x, y, 2.4, 1.8),), darker(SKINS[character.skin], 0.2), parts.NOSE)]


def mouth(look: Look) -> list[Shape]:
    """A smile."""
    x, y = look.turn, MOUTH_Y + look.nod
    return [
        Shape((arc(x, y, MOUTH_X, 2.2 + 2.6 * look.smile, 0, 180),), LIPS, parts.MOUTH),
    ]


def beard(character: Character, look: Look) -> list[Shape]:
    """A full beard without the moustache, or nothing."""
    if character.beard != "full":
        return []
    wide, high = size_of(character)
    outer = arc(0, 2, wide + 1.2, high + 1, 0, 180)
    inner = arc(look.turn, 2, wide - 3, 6.5 + look.nod * 0.7, 180, 0)
    return [Shape((np.concatenate([outer, inner]),), beard_colour(character), parts.SKIN)]


def moustache(character: Character, look: Look) -> list[Shape]:
    """What grows above the mouth, or nothing."""
    if character.beard == "none":
        return []
    x, y = look.turn, MOUTH_Y - 1.6 + look.nod
    ends = 9.0 if character.beard == "moustache" else 7.0
    return [
        Shape((capsule(x + side * 2, y - 0.6, x + side * ends, y + 1.2, 2.2),), beard_colour(character), parts.SKIN)
        for side, _ in SIDES
    ]
