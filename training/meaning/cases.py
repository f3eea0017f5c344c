"""What the demo model is asked: who is shown to it, and what it is told. Nothing is drawn or written here."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from training.clips import HELD_OUT
from training.world.character import Character, character
from training.world.scene import ACTIONS, BACKGROUNDS, Scene, caption, scene

IDENTITY, NOBODY, CONTROL, INK, PLAIN, SWAP = "identity", "nobody", "control", "ink", "plain", "swap"
"""A portrait and a prompt; the prompt alone; a control video; a style LoRA; its prompt without it; a face swap."""

SCENES = HELD_OUT + 100_000
"""Seed of the first scene; no stage looks at it or those behind it, not even to see how it is doing."""
APART = 1_000
"""Between the seeds of two kinds."""
STRIDE = 7
"""From a character to the one in whose place it is put."""


@dataclass(frozen=True)
class Amounts:
    """How much is asked; none but `gallery` may be more than it.

    Attributes:
        gallery: characters with whom the one in a clip is compared.
        identity: clips of them; as many again are made without a portrait.
        control: clips along a control video.
        style: clips with a style LoRA; as many again are made without it.
        swap: clips whose face is changed.
    """

    gallery: int
    identity: int
    control: int
    style: int
    swap: int


SHORT = Amounts(gallery=50, identity=6, control=2, style=1, swap=1)


def in_full(characters: int) -> Amounts:
    """Every one of `characters` asked for, and enough of the other kinds to make a mean of."""
    return Amounts(characters, characters, min(characters, 24), min(characters, 16), min(characters, 12))


@dataclass(frozen=True)
class Case:
    """One job.

    Attributes:
        kind: one of those above.
        number: among those of its kind, from 0.
        scene: what should be seen; of a control video and in the prompt it is all but the character.
        given: the scene whose clip is changed into it, by a face swap.
    """

    kind: str
    number: int
    scene: Scene
    given: Scene | None = None

    @property
    def name(self) -> str:
        """Of the job."""
        return f"{self.kind}-{self.number:02}"

    @property
    def who(self) -> Character:
        """Who should be seen."""
        return self.scene.character

    @property
    def prompt(self) -> str:
        """What the model is told."""
        return caption(self.scene)

    @property
    def seed(self) -> int:
        """Of the noise; what differs between two jobs of one seed and prompt is what they are given beside it."""
        return self.number


def people(count: int) -> tuple[Character, ...]:
    """So many characters that no stage is trained on, no two of whom have the same face."""
    found: dict[Character, Character] = {}
    for who in map(character, itertools.count(HELD_OUT)):
        if len(found) == count:
            break
        found.setdefault(_face(who), who)
    return tuple(found.values())


def cases(amounts: Amounts) -> tuple[Case, ...]:
    """All that is asked, the same every time."""
    who = people(amounts.gallery)
    return (
        *(Case(IDENTITY, number, each) for number, each in _scenes(who[: amounts.identity], 0)),
        *(Case(NOBODY, number, each) for number, each in _scenes(who[: amounts.identity], 0)),
        *(Case(CONTROL, number, each) for number, each in _scenes(who[: amounts.control], 1)),
        *(Case(INK, number, each) for number, each in _scenes(who[: amounts.style], 2, "ink")),
        *(Case(PLAIN, number, each) for number, each in _scenes(who[: amounts.style], 2, "ink")),
        *_swaps(who, amounts.swap),
    )


def of_kind(asked: Sequence[Case], *kinds: str) -> tuple[Case, ...]:
    """Those of some kinds, in their order."""
    return tuple(case for case in asked if case.kind in kinds)


def _scenes(who: Sequence[Character], kind: int, style: str = "plain") -> Iterator[tuple[int, Scene]]:
    """Each of `who` in a place of its own, doing something; after 48 every pair of the two was there."""
    for number, each in enumerate(who):
        yield (
            number,
            scene(
                SCENES + kind * APART + number,
                character=each,
                background=BACKGROUNDS[number % len(BACKGROUNDS)],
                action=ACTIONS[(number + number // 24) % len(ACTIONS)],
                style=style,
            ),
        )


def _swaps(who: Sequence[Character], count: int) -> Iterator[Case]:
    for number, wanted in _scenes(who[:count], 3):
        other = who[(number + STRIDE) % len(who)]
        yield Case(SWAP, number, wanted, replace(wanted, character=other))


def _face(who: Character) -> Character:
    """The same for all who differ only in what their faces do not show."""
    hat_colour = "none" if who.hat == "none" else who.hat_colour
    return replace(who, hat_colour=hat_colour, clothes="any", pattern="any")
