"""A head: its parts in the order in which they cover each other."""

from __future__ import annotations

from functools import lru_cache

from training.world import parts
from training.world.character import SKINS, Character
from training.world.features import beard, brows, cheeks, eyes, moustache, mouth, nose
from training.world.hair import hair_on_top
from training.world.proportions import SIDES, Look, size_of
from training.world.shapes import Shape, darker, oval
from training.world.wear import glasses, hat, lenses


@lru_cache(maxsize=32)
def head(character: Character, look: Look) -> tuple[Shape, ...]:
    """All of a head but the hair behind it, from the back to the front, about its middle, at scale 1.

    The frames of a clip mostly differ in where it lies alone: it is remembered, and may not be changed.
    """
    return (
        *_skull(character),
        *cheeks(character, look),
        *beard(character, look),
        *mouth(look),
        *moustache(character, look),
        *nose(character, look),
        *lenses(character, look),
        *eyes(character, look),
        *hair_on_top(character),
        *brows(character, look),
        *glasses(character, look),
        *hat(character),
    )


def _skull(character: Character) -> list[Shape]:
    wide, high = size_of(character)
    skin = SKINS[character.skin]
    ears = [
        Shape((oval(side * (wide + 0.5), 2, 3.5, 5),), darker(skin, 0.1), parts.EARS[index], rim=True)
        for side, index in SIDES
    ]
    return [*ears, Shape((oval(0, 0, wide, high, 2.4),), skin, parts.SKIN, rim=True)]
