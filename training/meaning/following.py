"""How closely a face follows the track that a control video gives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from training.meaning.tracks import SAMPLED, Floats, Seen, centre
from training.world.draw import truth
from training.world.scene import Scene

OTHERS = 16
"""Tracks of other scenes that a clip is compared with."""


def distance(seen: Seen, scene: Scene) -> float | None:
    """From the face's middle to where the scene has it: the mean over the frames with a face, in pixels.

    Args:
        seen: the faces of the sampled frames.
        scene: whose track is to be followed.

    Returns:
        None if no frame has a face.
    """
    track = _track(scene)
    apart = [float(np.linalg.norm(middle - track[place])) for place, middle in seen.centres.items()]
    return float(np.mean(apart)) if apart else None


def distance_to_others(seen: Seen, scene: Scene) -> float | None:
    """The same to other scenes of the same action: how far off a clip is that follows nothing but the prompt."""
    found = [distance(seen, replace(scene, seed=scene.seed + 1 + other)) for other in range(OTHERS)]
    known = [each for each in found if each is not None]
    return float(np.mean(known)) if known else None


def _track(scene: Scene) -> Sequence[Floats]:
    faces = truth(scene)
    return [centre(faces[index].box) for index in SAMPLED]
