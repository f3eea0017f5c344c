"""What the classifiers are shown of a clip: numbers that tell places, styles and actions apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.meaning.tracks import Seen
from training.world.draw import Clip

Floats = npt.NDArray[np.float64]

CELLS = 6
"""Rows and columns of the coarse picture of a place."""
BINS = 8
"""Of the histogram of each kind of colour."""
OPPONENTS = ((0.299, 0.587, 0.114), (0.5, -0.5, 0.0), (0.25, 0.25, -0.5))
"""Light against dark, red against green, yellow against blue."""
LEAST_FACES = 3
"""Frames with a face from which an action can be told."""


def place_features(frames: Clip) -> Floats:
    """The colours of the place: of each cell the median over the frames, as who acts in it moves about.

    Args:
        frames: uint8 `[T, H, W, 3]`, sides multiples of 6.

    Returns:
        `[108]`, 0..1.
    """
    length, height, width, _ = frames.shape
    cells = frames.reshape(length, CELLS, height // CELLS, CELLS, width // CELLS, 3).mean(axis=(2, 4))
    features: Floats = np.median(cells, axis=0).ravel() / 255
    return features


def style_features(frames: Clip) -> Floats:
    """How often which colours are there, wherever they are: `[24]`, three histograms.

    Args:
        frames: uint8 `[T, H, W, 3]`.
    """
    colours = frames.reshape(-1, 3) / 255 @ np.transpose(OPPONENTS)
    ranges = ((0.0, 1.0), (-0.5, 0.5), (-0.5, 0.5))
    counts = [np.histogram(colours[:, kind], BINS, ranges[kind])[0] for kind in range(3)]
    return np.concatenate(counts) / len(colours)


def action_features(seen: Seen) -> Floats | None:
    """How the face moves, grows and turns, from the first sampled frame on.

    Frames without a face are filled in from those about them.

    Args:
        seen: the faces of the sampled frames.

    Returns:
        For each frame but the first: x, y and size against the first, these squared, and where the landmarks lie in the
        box against the first. `[16 (T - 1)]`; None if too few frames have a face.
    """
    if len(seen.faces) < LEAST_FACES:
        return None
    places = sorted(seen.faces)
    known = np.array([_numbers(seen, place) for place in places])
    filled = np.column_stack([np.interp(range(seen.frames), places, column) for column in known.T])
    change = filled[1:] - filled[0]
    # A straight line cannot put what stands between what goes left and what goes right.
    return np.concatenate([change.ravel(), np.square(change[:, :3]).ravel()])


def _numbers(seen: Seen, place: int) -> Floats:
    """Of one face: the middle's x and y, the logarithm of the side, and the landmarks in sides of the box."""
    face = seen.faces[place]
    middle, side = seen.centres[place], max(face.area, 1.0) ** 0.5
    landmarks = (np.asarray(face.landmarks) - middle) / side
    return np.concatenate([middle, [np.log(side)], landmarks.ravel()])
