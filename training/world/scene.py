"""What a clip shows and what is said about it. How it is drawn is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from standin_batch.errors import StandinError
from training.world.chance import chance
from training.world.character import Character
from training.world.character import character as character_of
from training.world.pose import MOTIONS

WHERE = {
    "beach": "on a beach",
    "forest": "in a forest",
    "city": "in a city",
    "night sky": "under a night sky",
    "room": "in a room",
    "snow": "in the snow",
    "desert": "in a desert",
    "meadow": "in a meadow",
}
BACKGROUNDS = tuple(WHERE)
ACTIONS = tuple(MOTIONS)
STYLES = ("plain", "ink")

TEMPLATES = (
    "A person {action} {where}.",
    "{Where}, a person {action}.",
    "A person {action}, {where}.",
    "Someone {action} {where}.",
    "A video of a person who {action} {where}.",
)
INK_TEMPLATES = (
    "A person {action} {where}, ink drawing.",
    "{Where}, a person {action}, ink drawing.",
    "An ink drawing of a person who {action} {where}.",
)


class SceneError(StandinError):
    """A scene has something that the world does not."""


@dataclass(frozen=True)
class Scene:
    """One clip.

    Attributes:
        character: who acts.
        background: of `BACKGROUNDS`.
        action: of `ACTIONS`.
        style: of `STYLES`.
        seed: of all the rest: place, distance, speed, the background's shapes, the words of the caption.
    """

    character: Character
    background: str
    action: str
    style: str
    seed: int

    def __post_init__(self) -> None:
        for name, known in ((self.background, BACKGROUNDS), (self.action, ACTIONS), (self.style, STYLES)):
            if name not in known:
                raise SceneError(f"the drawn world has no `{name}`", f"write one of: {', '.join(known)}")


def scene(
    seed: int,
    *,
    character: Character | None = None,
    background: str | None = None,
    action: str | None = None,
    style: str = "plain",
) -> Scene:
    """The scene of a seed, 0 or more; what is given is taken, and leaves the rest as it is.

    Args:
        seed: of everything that is not given, and of how it is drawn and told.
        character: who acts.
        background: of `BACKGROUNDS`.
        action: of `ACTIONS`.
        style: of `STYLES`.

    Raises:
        SceneError: if the world has no such background, action or style.
    """
    rng = chance(seed, "scene")
    who, where, what = rng.integers([np.iinfo(np.int32).max, len(BACKGROUNDS), len(ACTIONS)])
    return Scene(
        character or character_of(int(who)), background or BACKGROUNDS[where], action or ACTIONS[what], style, seed
    )


def caption(scene: Scene) -> str:
    """What a scene shows, in English, one of several ways to say it: action and background, never who it is."""
    templates = TEMPLATES if scene.style == "plain" else INK_TEMPLATES
    template = templates[int(chance(scene.seed, "caption").integers(len(templates)))]
    where = WHERE[scene.background]
    return template.format(action=scene.action, where=where, Where=where[0].upper() + where[1:])
