"""What heads wear: glasses and hats. Coordinates are about the middle of the head, y grows downwards."""

from __future__ import annotations

from collections.abc import Callable

from training.world import parts
from training.world.character import CLOTHES, SKINS, Character
from training.world.features import INK
from training.world.proportions import EYE_Y, SIDES, Look, size_of
from training.world.shapes import Shape, arc, box, capsule, corners, darker, lighter, mixed, oval

GLASS = (226, 240, 250)
FELT = (70, 62, 86)


def lenses(character: Character, look: Look) -> list[Shape]:
    """What round glasses have inside of their rings."""
    if character.glasses != "round":
        return []
    glass = mixed(SKINS[character.skin], GLASS, 0.6)
    return [Shape((oval(*_lens(look, side), 7, 7),), glass, parts.GLASSES) for side, _ in SIDES]


def glasses(character: Character, look: Look) -> list[Shape]:
    """What covers the eyes, or nothing; for round ones only their rims."""
    if character.glasses == "none":
        return []
    bars = _bars(character, look)
    if character.glasses == "dark":
        (ax, y), (bx, _) = _lens(look, -1), _lens(look, 1)
        return bars + [Shape((oval(x, y + 0.8, 7.2, 6, 3),), INK, parts.GLASSES) for x in (ax, bx)]
    spots = [_lens(look, side) for side, _ in SIDES]
    return bars + [Shape((oval(x, y, 8, 8), oval(x, y, 5.7, 5.7)), INK, parts.GLASSES) for x, y in spots]


def _lens(look: Look, side: int) -> tuple[float, float]:
    return look.turn + side * 8.4, EYE_Y + look.nod


def _bars(character: Character, look: Look) -> list[Shape]:
    """Between the lenses and from them to the ears."""
    wide, _ = size_of(character)
    x, y = look.turn, EYE_Y + look.nod - 1
    ends = [(x - 2, x + 2), (-wide, x - 14), (x + 14, wide)]
    return [Shape((capsule(start, y, end, y, 1.2),), INK, parts.GLASSES) for start, end in ends if start < end]


def hat(character: Character) -> list[Shape]:
    """What lies on the hair, or nothing."""
    return HATTERS[character.hat](character)


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
    return [
        Shape((corners((-14, -30), (14, -30), (12.5, -12), (-12.5, -12)),), FELT, parts.HAT, rim=True),
        Shape((box(-13, -18.5, 13, -13),), CLOTHES[character.hat_colour], parts.HAT),
        Shape((capsule(-wide - 2, -11.5, wide + 2, -11.5, 2.6),), FELT, parts.HAT, rim=True),
    ]


HATTERS: dict[str, Callable[[Character], list[Shape]]] = {
    "none": _no_hat,
    "cap": _cap,
    "beanie": _beanie,
    "top": _top_hat,
}
