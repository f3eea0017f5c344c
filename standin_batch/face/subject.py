"""The subject image: what Stand-In is shown of a person or a thing, 512 x 512 on white.

The steps and their numbers are those of the reference implementation (WeChatCV/Stand-In,
`preprocessor/image_input_preprocessor.py`), to the pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from standin_batch.errors import StandinError
from standin_batch.face.detect import Box, Detector, Face, largest
from standin_batch.face.parse import BACKGROUND, Parser
from standin_batch.media.image import rgb_on_white

SIDE = 512
CROP_SCALE = 1.5
BORDER = 10
WHITE = 255
LONGEST_SIDE = 8192
"""Pixels of the square that the reference would make of a picture; a panorama's would fill the memory with white."""

OnNoFace = Literal["error", "whole_image"]
Pixels = npt.NDArray[np.uint8]
Crop = tuple[int, int, int, int]


class SubjectError(StandinError):
    """A subject's picture cannot be used."""


class NoFaceError(SubjectError):
    """No face was found in the picture of a person."""


@dataclass(frozen=True)
class Square:
    """A part of an image as the parser is shown it.

    Attributes:
        pixels: uint8 `[512, 512, 3]`, RGB: the part in the middle, white where it is no square.
        crop: the part: left, top, right, bottom in pixels of the image.
    """

    pixels: Pixels
    crop: Crop

    @property
    def side(self) -> int:
        """The square's, in pixels of the image."""
        left, top, right, bottom = self.crop
        return max(right - left, bottom - top)

    @property
    def corner(self) -> tuple[int, int]:
        """The square's left and top in pixels of the image; outside the crop where there is padding."""
        left, top, right, bottom = self.crop
        return left - (self.side - (right - left)) // 2, top - (self.side - (bottom - top)) // 2

    def place(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Where (x, y), `[N, 2]` in pixels of the image, lie in pixels of the square; whole numbers are middles."""
        placed: npt.NDArray[np.float64] = (np.asarray(points, np.float64) - self.corner + 0.5) * (SIDE / self.side)
        return placed - 0.5


def prepare_face(image: Image.Image, detector: Detector, parser: Parser, on_no_face: OnNoFace = "error") -> Image.Image:
    """A person's largest face with some room around it, everything but the head white.

    Args:
        image: any size and mode; transparent parts become white.
        detector: finds the face.
        parser: tells the head from the background.
        on_no_face: `whole_image` takes the whole picture when no face is found.

    Returns:
        RGB, 512 x 512.

    Raises:
        NoFaceError: if no face is found and `on_no_face` is `error`.
    """
    square, face = square_of(image, detector)
    if face is None and on_no_face == "error":
        raise NoFaceError(
            "no face was found in the picture",
            "write `on_no_face: whole_image` to take the whole picture, or `kind: subject` if it shows no person",
        )
    return Image.fromarray(whiten(square.pixels, parser.classes(square.pixels)))


def square_of(image: Image.Image, detector: Detector) -> tuple[Square, Face | None]:
    """What `prepare_face` crops, before it is whitened, and the largest face, in pixels of the image.

    Args:
        image: any size and mode; transparent parts become white.
        detector: finds the face.

    Returns:
        The whole image and None if no face is found.
    """
    pixels = rgb_on_white(image)
    height, width = pixels.shape[:2]
    face = largest(detector.detect(np.ascontiguousarray(pixels[..., ::-1])))
    return cut_square(pixels, crop_around(face.box, width, height) if face else (0, 0, width, height)), face


def prepare_subject(image: Image.Image) -> Image.Image:
    """Anything but a person: the whole picture, transparent parts and the padding to a square white.

    Args:
        image: any size and mode. One of 512 x 512 in RGB comes back as it is, to the bit.

    Returns:
        RGB, 512 x 512.
    """
    return Image.fromarray(_square(rgb_on_white(image)))


def crop_around(box: Box, width: int, height: int) -> Crop:
    """What to cut out of an image: a square about a face, or all of it if the face fills the image.

    Args:
        box: of the face: left, top, right, bottom, in pixels.
        width: of the image.
        height: of the image.

    Returns:
        Left, top, right, bottom: a square of 1.5 times the box's longer side, less what lies outside the image.
    """
    left, top, right, bottom = (int(value) for value in box)
    if left <= BORDER and top <= BORDER and right >= width - BORDER and bottom >= height - BORDER:
        return 0, 0, width, height
    left, top, right, bottom = square_around(box)
    return max(left, 0), max(top, 0), min(right, width), min(bottom, height)


def square_around(box: Box) -> Crop:
    """The square of 1.5 times the longer side of `box`; may reach beyond the image."""
    left, top, right, bottom = (int(value) for value in box)
    x, y = (left + right) // 2, (top + bottom) // 2
    half = int(max(right - left, bottom - top) * CROP_SCALE) // 2
    return x - half, y - half, x + half, y + half


def cut_square(pixels: Pixels, crop: Crop) -> Square:
    """The part `crop` of `pixels`, `[H, W, 3]`; at least one pixel."""
    left, top, right, bottom = crop
    return Square(_square(pixels[top:bottom, left:right]), crop)


def pad_to_square(pixels: Pixels) -> Pixels:
    """`pixels`, `[H, W, 3]`, in the middle of a white square; an odd row or column more goes right or below."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    square = np.full((side, side, 3), WHITE, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = pixels
    return square


def whiten(pixels: Pixels, classes: npt.NDArray[np.uint8]) -> Pixels:
    """`pixels`, `[H, W, 3]`, with white wherever `classes`, `[H, W]`, says background."""
    return np.where((classes == BACKGROUND)[..., None], np.uint8(WHITE), pixels)


def _square(pixels: Pixels) -> Pixels:
    import cv2

    height, width = pixels.shape[:2]
    if (scale := LONGEST_SIDE / max(height, width)) < 1:
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    resized: Pixels = cv2.resize(pad_to_square(pixels), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return resized
