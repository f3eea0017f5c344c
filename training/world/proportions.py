"""How large a head is and where the features of its face lie, about the head's middle, in 96ths of the picture."""

from __future__ import annotations

from dataclasses import dataclass

from training.world.character import Character

WIDTHS = {"round": 18.5, "long": 16.5, "wide": 21.0}
HEIGHTS = {"round": 18.5, "long": 20.5, "wide": 17.0}
"""Halves of the face's, by its shape."""

EAR = 3.0
"""By how much an ear stands out."""
EYE_X, EYE_Y = 8.2, -0.5
NOSE_Y = 5.5
NOSE_TURN = 1.3
"""The nose moves further than the other features when a head turns: it is nearer."""
MOUTH_X, MOUTH_Y = 5.0, 9.2

SIDES = ((-1, 0), (1, 1))
"""The image's left and right: the sign of x, and the place in a pair."""


@dataclass(frozen=True)
class Look:
    """Where a head looks and how, which moves its features.

    Attributes:
        turn: by how much the features lie to the right of the head's middle.
        nod: by how much they lie below their place.
        smile: how far the mouth is open; 1 is usual.
    """

    turn: float = 0.0
    nod: float = 0.0
    smile: float = 1.0


def size_of(character: Character) -> tuple[float, float]:
    """Half of the width and half of the height of a character's face."""
    return WIDTHS[character.face_shape], HEIGHTS[character.face_shape]
