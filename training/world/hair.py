"""Hair: what lies behind a head, and what lies on it. Coordinates are about the middle of the head."""

from __future__ import annotations

import numpy as np

from training.world import parts
from training.world.character import HAIRS, SKINS, Character, Colour, apart
from training.world.proportions import size_of
from training.world.shapes import Points, Shape, arc, capsule, corners, darker, lighter, oval


def hair_behind(character: Character) -> list[Shape]:
    """What is painted before the body."""
    wide, high = size_of(character)
    hatted = character.hat != "none"
    if character.hair_shape == "long":
        return [_lock(character, oval(0, 6, wide + 6.5, high + 9.5, 2.8))]
    if character.hair_shape == "bob":
        return [_lock(character, oval(0, -1, wide + 6, high + 2.5, 3.0))]
    if character.hair_shape == "afro":
        return [_lock(character, _cloud(0, 1 if hatted else -5, wide + 7.5, 22 if hatted else 24))]
    if character.hair_shape == "bun":
        return _bun(character, hatted)
    return []


def hair_on_top(character: Character) -> list[Shape]:
    """What is painted over the face."""
    wide, high = size_of(character)
    shape = character.hair_shape
    if shape == "bald":
        return []
    if shape == "spiky":
        return [_lock(character, _spikes(wide, high, character.hat != "none"))]
    if shape == "afro":
        return [_lock(character, _fringe(wide + 1.5, high + 2, -10, 3), rim=False)]
    if shape == "short":
        return [_lock(character, _parted(wide + 1.5, high + 2.5))]
    if shape == "bun":
        return [_lock(character, _fringe(wide + 1.5, high + 2, -10.5, -5))]
    return [_lock(character, _fringe(wide + 2.5, high + 3, -8, 2), rim=False), *_sides(character)]


def _lock(character: Character, contour: Points, rim: bool = True) -> Shape:
    return Shape((contour,), HAIRS[character.hair], parts.HAIR, rim)


def _cloud(x: float, y: float, wide: float, high: float) -> Points:
    angles = np.linspace(0, 2 * np.pi, 128, endpoint=False)
    puff = 0.93 + 0.09 * np.abs(np.cos(5 * angles))
    return np.stack([x + wide * puff * np.cos(angles), y + high * puff * np.sin(angles)], 1)


def _bun(character: Character, hatted: bool) -> list[Shape]:
    wide, high = size_of(character)
    if not hatted:
        return [_lock(character, oval(0, -high - 4.5, 9, 7.5))]
    return [_lock(character, oval(side * (wide + 2.5), 7, 7, 7)) for side in (-1, 1)]


def _fringe(wide: float, high: float, line: float, ends: float) -> Points:
    """The crown of the head down to a hairline that falls from `line` in the middle to `ends` at the sides."""
    start = np.degrees(np.arcsin(np.clip(ends / high, -1, 1)))
    top = arc(0, 0, wide, high, 180 - start, 360 + start)
    return np.concatenate([top, arc(0, ends, wide - 4.5, ends - line, 360, 180)])


def _parted(wide: float, high: float) -> Points:
    """Short hair, combed to one side."""
    top = arc(0, 0, wide, high, 183, 357)
    line = corners((wide - 4, -4), (wide - 5, -9), (4, -11), (-6, -6), (-wide + 4, -7), (-wide + 3, -2))
    return np.concatenate([top, line])


def _spikes(wide: float, high: float, hatted: bool) -> Points:
    angles = np.radians(np.linspace(184, 356, 11))
    reach = np.where(np.arange(11) % 2 == 1, 1.5 if hatted else 9.0, 0.5)
    tips = np.stack([(wide + reach) * np.cos(angles), (high + reach) * np.sin(angles)], 1)
    line = corners((wide - 3.5, -3), (11, -11), (6, -5), (1, -11), (-5, -5), (-10, -11), (-wide + 3.5, -3))
    return np.concatenate([tips, line])


def _sides(character: Character) -> list[Shape]:
    """Locks over the ears."""
    wide, high = size_of(character)
    end = high + 4 if character.hair_shape == "long" else high - 7
    return [
        Shape((capsule(side * (wide + 1.5), -4, side * (wide + 2), end, 4),), HAIRS[character.hair], parts.HAIR)
        for side in (-1, 1)
    ]


def beard_colour(character: Character) -> Colour:
    """The hair's, a little darker or, where that would be lost on the skin, much lighter or much darker."""
    hair, skin = HAIRS[character.hair], SKINS[character.skin]
    tones = darker(hair, 0.16), lighter(hair, 0.5), darker(hair, 0.5)
    return next((tone for tone in tones if apart(tone, skin) > 60), tones[0])
