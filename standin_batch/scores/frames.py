"""Scores that need no face: how sharp frames are, how much moves, and what a clip looks like from afar.

Pure: frames in, numbers out. The measures are OpenCV's and imagehash's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.uint8]

FLOW_SIDE = 256
"""The longer side, in pixels, at which flow is measured: motion shows at that size, and the time stays small."""
PERCENT = 100.0


def sharpness(frames: Sequence[Frame]) -> float:
    """The mean variance of the Laplacian of luma (Pech-Pacheco et al., ICPR 2000).

    It falls when a picture is enlarged: compare clips of one size.

    Args:
        frames: uint8 `[H, W, 3]`, RGB; at least one.
    """
    import cv2

    return float(np.mean([cv2.Laplacian(_luma(frame), cv2.CV_64F).var() for frame in frames]))


def motion(pairs: Sequence[tuple[Frame, Frame]], fps: float) -> float:
    """The mean length of the optical flow, in hundredths of the picture's diagonal a second.

    Flow is dense inverse search (Kroeger et al., ECCV 2016) at `FLOW_SIDE`.

    Args:
        pairs: a frame and the one after it, uint8 `[H, W, 3]`, RGB; at least one pair.
        fps: frames per second.
    """
    import cv2

    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    lengths = []
    for before, after in pairs:
        one, other = _small(before), _small(after)
        flow = search.calc(one, other, np.zeros((*one.shape, 2), np.float32))
        lengths.append(float(np.linalg.norm(flow, axis=2).mean()) / float(np.hypot(*one.shape)))
    return float(np.mean(lengths)) * fps * PERCENT


def perceptual_hash(frames: Sequence[Frame]) -> str:
    """The pHash of each frame, 16 hexadecimal digits, one after the other.

    Args:
        frames: uint8 `[H, W, 3]`, RGB.
    """
    import imagehash
    from PIL import Image

    return "".join(str(imagehash.phash(Image.fromarray(frame))) for frame in frames)


def _luma(frame: Frame) -> Frame:
    import cv2

    luma: Frame = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return luma


def _small(frame: Frame) -> Frame:
    import cv2

    luma = _luma(frame)
    scale = FLOW_SIDE / max(luma.shape)
    height, width = (max(16, round(side * scale)) for side in luma.shape)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small: Frame = cv2.resize(luma, (width, height), interpolation=method)
    return small
