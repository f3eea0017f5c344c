"""What a face swap has to leave as it is, and how well it does."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from standin_batch.face.paste import FACE_CLASSES
from standin_batch.face.swap import SPACE, TIME, latent_mask
from training.world.draw import Clip, labels
from training.world.scene import Scene

Where = npt.NDArray[np.bool_]


def surroundings(*scenes: Scene) -> Where:
    """The pixels in which no face of some scenes may be seen, nor what repainting it does, `[T, H, W]`.

    Those of all places of the latents that have nothing of a drawn face, nor one beside them: the decoder sees the
    neighbours too.
    """
    face = np.any([np.isin(labels(scene), FACE_CLASSES) for scene in scenes], axis=0)
    cells = _grown(latent_mask(face.astype(np.float32)))
    frames = np.concatenate([cells[:1], np.repeat(cells[1:], TIME, axis=0)])
    return ~frames.repeat(SPACE, axis=1).repeat(SPACE, axis=2)


def psnr(one: Clip, other: Clip, where: Where) -> float:
    """The peak signal-to-noise ratio of two clips in some pixels, in decibels; infinite if they are equal there.

    Args:
        one: uint8 `[T, H, W, 3]`.
        other: likewise.
        where: `[T, H, W]`, at least one pixel.
    """
    error = float(np.mean(np.square(one[where].astype(np.float64) - other[where])))
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def _grown(cells: Where) -> Where:
    """Each place that is true, and the eight about it in its frame."""
    padded = np.pad(cells, ((0, 0), (1, 1), (1, 1)))
    height, width = cells.shape[1:]
    shifted = [padded[:, row : row + height, column : column + width] for row in range(3) for column in range(3)]
    grown: Where = np.any(shifted, axis=0)
    return grown
