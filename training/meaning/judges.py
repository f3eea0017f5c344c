"""The classifiers of places, actions and styles: fitted on clips that are drawn for it, and tried on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from standin_batch.face.detect import Detector
from training.clips import HELD_OUT
from training.meaning.classify import Classifier, Floats, fit
from training.meaning.features import action_features, place_features, style_features
from training.meaning.tracks import SAMPLED, Seen, look
from training.world.draw import Clip, draw
from training.world.scene import ACTIONS, BACKGROUNDS, Scene, scene

FITTED, TRIED = 288, 96
"""Plain clips that classifiers are fitted on and tried on: each place with each action six times, and twice."""
INKED = 3
"""One clip in ink for so many plain ones."""
FIRST_FITTED, FIRST_TRIED = HELD_OUT + 200_000, HELD_OUT + 300_000
"""Seeds of the first scenes."""


@dataclass(frozen=True)
class Judge:
    """A classifier.

    Attributes:
        classifier: fitted on drawn clips.
        right: how often it is right on other drawn clips, 0..1.
    """

    classifier: Classifier
    right: float


@dataclass(frozen=True)
class Judges:
    """All that is asked about a clip but who is in it."""

    place: Judge
    action: Judge
    style: Judge

    def place_of(self, frames: Clip) -> str:
        """Of `BACKGROUNDS`, for sampled frames."""
        return self.place.classifier.classify([place_features(frames)])[0]

    def style_of(self, frames: Clip) -> str:
        """Of `STYLES`, for sampled frames."""
        return self.style.classifier.classify([style_features(frames)])[0]

    def action_of(self, seen: Seen) -> str | None:
        """Of `ACTIONS`, for the faces of sampled frames; None if there are too few."""
        features = action_features(seen)
        return None if features is None else self.action.classifier.classify([features])[0]


def judges(detector: Detector, fitted: int = FITTED, tried: int = TRIED) -> Judges:
    """Draw clips, and learn from them.

    Args:
        detector: finds the faces; it need not give embeddings.
        fitted: plain clips to fit on, best a multiple of 48.
        tried: plain clips to try on, likewise.
    """
    examples = _Examples.of(detector, range(FIRST_FITTED, FIRST_FITTED + fitted))
    others = _Examples.of(detector, range(FIRST_TRIED, FIRST_TRIED + tried))
    return Judges(
        _judge(examples.place, others.place),
        _judge(examples.action, others.action),
        _judge(examples.style, others.style),
    )


Table = tuple[Sequence[Floats], Sequence[str]]
"""Features and what they are of."""


@dataclass(frozen=True)
class _Examples:
    """Drawn clips, as the classifiers see them."""

    place: Table
    action: Table
    style: Table

    @classmethod
    def of(cls, detector: Detector, seeds: range) -> _Examples:
        scenes = [varied(seed) for seed in seeds]
        inked = [varied(seed, "ink") for seed in seeds[::INKED]]
        clips = [sampled(each) for each in scenes]
        tracked = [
            (action_features(look(clip, detector)), each.action) for clip, each in zip(clips, scenes, strict=True)
        ]
        found = [(features, action) for features, action in tracked if features is not None]
        return cls(
            place=([place_features(clip) for clip in clips], [each.background for each in scenes]),
            action=([features for features, _ in found], [action for _, action in found]),
            style=(
                [style_features(clip) for clip in (*clips, *map(sampled, inked))],
                [each.style for each in (*scenes, *inked)],
            ),
        )


def varied(seed: int, style: str = "plain") -> Scene:
    """The scene of a seed; with 48 seeds in a row every place goes with every action once."""
    background, action = seed % len(BACKGROUNDS), seed // len(BACKGROUNDS) % len(ACTIONS)
    return scene(seed, background=BACKGROUNDS[background], action=ACTIONS[action], style=style)


def sampled(scene: Scene) -> Clip:
    """The frames of a clip that are looked at, `[5, 96, 96, 3]`: no others are drawn."""
    return draw(scene, frames=len(SAMPLED))


def _judge(examples: Table, others: Table) -> Judge:
    classifier = fit(*examples)
    features, names = others
    right = [found == name for found, name in zip(classifier.classify(features), names, strict=True)]
    return Judge(classifier, float(np.mean(right)))
