"""What there is to measure about a photograph of a person; whether it is good enough is `preflight`'s to say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from standin_batch.face.detect import Box, Detector, Face
from standin_batch.face.pose import Pose, pose_of
from standin_batch.face.subject import Pixels, square_around
from standin_batch.media.image import rgb_on_white

SHARP_SIDE = 128
"""Pixels of the square in which sharpness is measured. How strong an edge is depends on how many pixels it is spread
over, and with it the Laplacian: the same face, twice as large, would count as more blurred. Few faces have to be
enlarged to it."""
SHARP_CONTRAST = 50.0
"""Standard deviation of the grey levels there: of a face in good light. Else a dark photograph would count as a blurred
one."""
HIGHLIGHTS = 95
"""The percentile of grey levels that says how much light there is: skin of any colour has highlights."""
BLOWN_OUT = 250
"""The grey level from which a pixel shows nothing but white."""


@dataclass(frozen=True)
class Likeness:
    """The largest face of a photograph: how well it shows its person.

    Attributes:
        side: shorter side of its box, in pixels of the photograph.
        sharpness: see `sharpness_of`.
        brightness: grey level, 0..255, that a twentieth of the face is brighter than.
        blown_out: share of it that is white.
        pose: which way it is turned.
        face_outside: share of its box that lies outside the picture.
        crop_outside: share of the square about it, 1.5 times its size, that does: hair and chin that nobody sees.
    """

    side: float
    sharpness: float
    brightness: float
    blown_out: float
    pose: Pose
    face_outside: float
    crop_outside: float


@dataclass(frozen=True)
class Portrait:
    """What was found in a photograph.

    Attributes:
        width: in pixels.
        height: in pixels.
        faces: all of them, the largest first: that is the one which the model is shown.
        likeness: of the largest; None without any.
    """

    width: int
    height: int
    faces: tuple[Face, ...]
    likeness: Likeness | None

    @property
    def embedding(self) -> npt.NDArray[np.float32] | None:
        """What tells its person from others, `[512]`; None without a face, or where the detector gave none."""
        return self.faces[0].embedding if self.faces else None

    @property
    def second(self) -> float:
        """The shorter side of the second largest face as a share of the largest one's; 0 if there is none."""
        return _side(self.faces[1].box) / _side(self.faces[0].box) if len(self.faces) > 1 else 0.0


def look_at(image: Image.Image, detector: Detector) -> Portrait:
    """Find and measure the faces of a photograph.

    Args:
        image: any size and mode; transparent parts become white.
        detector: finds them, and gives embeddings where people are to be told apart.
    """
    pixels = rgb_on_white(image)
    height, width = pixels.shape[:2]
    found = detector.detect(np.ascontiguousarray(pixels[..., ::-1]))
    # Of equally large ones the first counts, as it does for `largest`.
    faces = tuple(sorted(found, key=lambda face: -face.area))
    return Portrait(width, height, faces, _likeness(pixels, faces[0]) if faces else None)


def sharpness_of(face: Pixels) -> float:
    """The variance of the Laplacian of a face, brought to one size and contrast; of one colour alone it is 0.

    The measure is Pech-Pacheco et al.'s (Diatom autofocusing in brightfield microscopy, ICPR 2000), as OpenCV has it.

    Args:
        face: uint8 `[H, W, 3]`, RGB.
    """
    import cv2

    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    method = cv2.INTER_AREA if min(grey.shape) >= SHARP_SIDE else cv2.INTER_LINEAR
    fixed = cv2.resize(grey, (SHARP_SIDE, SHARP_SIDE), interpolation=method).astype(np.float64)
    contrast = fixed.std()
    # What has less than one level of contrast shows rounding, no face.
    return float(cv2.Laplacian(fixed, cv2.CV_64F).var() * (SHARP_CONTRAST / contrast) ** 2) if contrast >= 1 else 0.0


def outside(box: Box, width: int, height: int) -> float:
    """The share of `box`, 0..1, that lies outside of an image."""
    left, top, right, bottom = box
    within = max(min(right, width) - max(left, 0), 0) * max(min(bottom, height) - max(top, 0), 0)
    whole = (right - left) * (bottom - top)
    return 1 - within / whole if whole else 0.0


def _likeness(pixels: Pixels, face: Face) -> Likeness:
    height, width = pixels.shape[:2]
    shown = _cut(pixels, face.box)
    grey = _grey(shown)
    return Likeness(
        side=_side(face.box),
        sharpness=sharpness_of(shown),
        brightness=float(np.percentile(grey, HIGHLIGHTS)),
        blown_out=float(np.mean(grey >= BLOWN_OUT)),
        pose=pose_of(face.landmarks),
        face_outside=outside(face.box, width, height),
        crop_outside=outside(square_around(face.box), width, height),
    )


def _cut(pixels: Pixels, box: Box) -> Pixels:
    """The part of `pixels` in `box`; at least one pixel."""
    height, width = pixels.shape[:2]
    left, top = min(max(round(box[0]), 0), width - 1), min(max(round(box[1]), 0), height - 1)
    return pixels[top : max(round(box[3]), top + 1), left : max(round(box[2]), left + 1)]


def _grey(pixels: Pixels) -> npt.NDArray[np.uint8]:
    import cv2

    grey: npt.NDArray[np.uint8] = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return grey


def _side(box: Box) -> float:
    left, top, right, bottom = box
    return min(right - left, bottom - top)
