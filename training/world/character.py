"""Who lives in the drawn world: what makes one character look different from another. How it is drawn is elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.world.chance import chance

Colour = tuple[int, int, int]

SKINS: dict[str, Colour] = {
    "pale": (255, 228, 206),
    "fair": (246, 200, 162),
    "tan": (226, 170, 120),
    "olive": (190, 132, 84),
    "brown": (152, 98, 60),
    "dark": (106, 66, 46),
}
HAIRS: dict[str, Colour] = {
    "black": (40, 36, 44),
    "brown": (100, 56, 28),
    "blond": (244, 206, 92),
    "red": (206, 78, 30),
    "grey": (208, 210, 216),
    "blue": (56, 104, 226),
    "pink": (244, 124, 186),
    "green": (56, 170, 92),
}
CLOTHES: dict[str, Colour] = {
    "red": (214, 52, 56),
    "blue": (48, 92, 200),
    "yellow": (246, 200, 60),
    "green": (52, 150, 84),
    "purple": (136, 72, 176),
    "white": (240, 238, 232),
    "orange": (242, 134, 44),
}
HAIR_WEIGHTS = {"black": 4, "brown": 4, "blond": 4, "red": 3.5, "grey": 3, "blue": 2, "pink": 2, "green": 2}
HAIR_SHAPES = ("short", "long", "afro", "spiky", "bun", "bob", "bald")
EYES = ("dark", "blue", "happy")
GLASSES = ("none", "round", "dark")
HATS = ("none", "cap", "beanie", "top")
BEARDS = ("none", "moustache", "full")
FACE_SHAPES = ("round", "long", "wide")
PATTERNS = ("plain", "stripes")


@dataclass(frozen=True)
class Character:
    """What is the same in all pictures of one character; each is a name of the table or tuple of that kind.

    Attributes:
        skin: of `SKINS`.
        hair: of `HAIRS`; also the beard's and the brows'.
        hair_shape: of `HAIR_SHAPES`.
        eyes: of `EYES`.
        glasses: of `GLASSES`.
        hat: of `HATS`.
        hat_colour: of `CLOTHES`; without a hat it shows nowhere.
        beard: of `BEARDS`.
        face_shape: of `FACE_SHAPES`.
        clothes: of `CLOTHES`.
        pattern: of `PATTERNS`.
    """

    skin: str
    hair: str
    hair_shape: str
    eyes: str
    glasses: str
    hat: str
    hat_colour: str
    beard: str
    face_shape: str
    clothes: str
    pattern: str


def character(seed: int) -> Character:
    """The character of a seed, 0 or more; characters of different seeds may by chance be the same."""
    rng = chance(seed, "character")
    skin, clothes = _one(rng, list(SKINS)), _one(rng, list(CLOTHES))
    return Character(
        skin=skin,
        hair=_one(rng, *_hairs_for(skin)),
        hair_shape=_one(rng, HAIR_SHAPES, (0.16, 0.16, 0.15, 0.15, 0.14, 0.14, 0.10)),
        eyes=_one(rng, EYES, (0.4, 0.35, 0.25)),
        glasses=_one(rng, GLASSES, (0.6, 0.2, 0.2)),
        hat=_one(rng, HATS, (0.65, 0.12, 0.12, 0.11)),
        hat_colour=_one(rng, [name for name in CLOTHES if name != clothes]),
        beard=_one(rng, BEARDS, (0.7, 0.14, 0.16)),
        face_shape=_one(rng, FACE_SHAPES),
        clothes=clothes,
        pattern=_one(rng, PATTERNS, (0.65, 0.35)),
    )


def _one(rng: np.random.Generator, names: Sequence[str], weights: Sequence[float] | None = None) -> str:
    return names[int(rng.choice(len(names), p=weights))]


def apart(one: Colour, other: Colour) -> float:
    """How far two colours are from each other: 0 to 442, the distance in RGB."""
    return float(np.linalg.norm(np.subtract(one, other)))


def _hairs_for(skin: str) -> tuple[list[str], list[float]]:
    """Colours of hair that show on a skin, and how often each is."""
    names = [name for name, colour in HAIRS.items() if apart(colour, SKINS[skin]) > 45]
    weights = np.array([HAIR_WEIGHTS[name] for name in names])
    return names, list(weights / weights.sum())
