"""A face laid over another: which pixels of a head are face, and where a photograph's face goes in a frame.

One frame at a time; who is replaced, and in which frames, is `swap`'s to say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from standin_batch.face.detect import Detector, Face
from standin_batch.face.parse import Parser
from standin_batch.face.subject import SIDE, NoFaceError, Pixels, Square, crop_around, cut_square, square_of

FACE_CLASSES = tuple(range(1, 14))
"""Of CelebAMask-HQ as facexlib numbers it: skin, brows, eyes, glasses, ears and earrings, nose, mouth and lips."""
DILATION = 11
"""The diameter of the disc by which the face grows, in pixels of the square of 512; odd, so that it has a middle."""
FEATHER = 37
"""The width of the Gaussian that softens its edge, likewise. The reference's 21 shows: in a face of 130 pixels its edge
is four pixels wide."""
SIGMA = FEATHER / 6

Mask = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Source:
    """The face that is pasted.

    Attributes:
        pixels: uint8 `[512, 512, 3]`, RGB: the face with half its size of surroundings.
        mask: float32 `[512, 512]`, 0..1: how much of each pixel is face.
        landmarks: float64 `[5, 2]`: x and y in pixels of the square, in `Face.landmarks`' order.
    """

    pixels: Pixels
    mask: Mask
    landmarks: Points


def source_face(image: Image.Image, detector: Detector, parser: Parser) -> Source:
    """The largest face of a photograph, with its mask and landmarks.

    Args:
        image: any size and mode; transparent parts become white.
        detector: finds the face.
        parser: tells the face from hair, neck, clothes and background.

    Raises:
        NoFaceError: if there is no face, or none of its pixels is seen as one.
    """
    square, face = square_of(image, detector)
    if face is None:
        raise NoFaceError("no face was found in the picture", "take a picture of a face that is turned to the camera")
    skin = _face_pixels(square, parser) & _within(square)
    if not skin.any():
        raise NoFaceError("the parser sees no face in the picture", "take a larger, sharper picture of the face")
    return Source(square.pixels, soften(skin), square.place(np.asarray(face.landmarks)))


def paste(frame: Pixels, landmarks: npt.ArrayLike, source: Source) -> tuple[Pixels, Mask]:
    """Lay a face over a frame so that its landmarks fall on `landmarks`.

    Args:
        frame: uint8 `[H, W, 3]`, RGB; stays as it is.
        landmarks: `[5, 2]`, in pixels of the frame.
        source: what is pasted; it is averaged before it is shrunk.

    Returns:
        The new frame, uint8 `[H, W, 3]`, and how much of each pixel is new, float32 `[H, W]`, 0..1.
    """
    height, width = frame.shape[:2]
    # Colours go weighed by the mask: so no averaging mixes in those of what is not pasted (Porter and Duff, 1984).
    weighed = source.pixels * source.mask[..., None]
    warped = _warp(np.dstack([weighed, source.mask]), similarity(source.landmarks, landmarks), width, height)
    pixels, mask = warped[..., :3], np.clip(warped[..., 3], 0, 1)
    blended = frame * (1 - mask[..., None]) + pixels
    return np.clip(np.rint(blended), 0, 255).astype(np.uint8), mask


def face_mask(frame: Pixels, face: Face, parser: Parser) -> Mask:
    """Where a frame shows `face`, for videos in which nothing is pasted.

    Args:
        frame: uint8 `[H, W, 3]`, RGB.
        face: its box counts; the parser is shown one and a half times its size.
        parser: tells the face from hair, neck, clothes and background.

    Returns:
        float32 `[H, W]`, 0..1.
    """
    import cv2

    height, width = frame.shape[:2]
    mask = np.zeros((height, width), np.float32)
    left, top, right, bottom = crop_around(face.box, width, height)
    if left >= right or top >= bottom:
        return mask
    square = cut_square(frame, (left, top, right, bottom))
    # Where the crop ends inside the frame, the mask ends softly; where the frame ends, so does the face.
    beyond = (left == 0, top == 0, right == width, bottom == height)
    soft = soften(_own_pixels(square, face, parser, _within(square, beyond)))
    method = cv2.INTER_AREA if square.side < SIDE else cv2.INTER_LINEAR
    there = cv2.resize(soft, (square.side, square.side), interpolation=method)
    x, y = square.corner
    mask[top:bottom, left:right] = there[top - y : bottom - y, left - x : right - x]
    return mask


def soften(face: npt.NDArray[np.bool_]) -> Mask:
    """The mask of a face, `[512, 512]`, grown by a disc and with a soft edge: float32, 0..1."""
    import cv2

    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (DILATION, DILATION))
    grown = cv2.dilate(face.astype(np.float32), disc)
    soft: Mask = cv2.GaussianBlur(grown, (FEATHER, FEATHER), SIGMA)
    return np.clip(soft, 0, 1)


def similarity(source: npt.ArrayLike, target: npt.ArrayLike) -> Points:
    """Turn, size and shift, without a reflection, that bring `source` nearest to `target` in least squares.

    In the plane, with points as complex numbers, it is z -> a z + b, and the a of Umeyama's closed form ("Least-squares
    estimation of transformation parameters between two point patterns", IEEE PAMI 13(4), 1991, eq. 40-42) is a
    quotient: unlike the usual LMEDS or RANSAC, no chance is in it.

    Args:
        source: `[N, 2]`, not all the same point.
        target: `[N, 2]`.

    Returns:
        float64 `[2, 3]`, to be applied to (x, y, 1).
    """
    from_points, to_points = (np.asarray(points, np.float64) @ (1, 1j) for points in (source, target))
    centred = from_points - from_points.mean()
    a = np.vdot(centred, to_points - to_points.mean()) / np.vdot(centred, centred).real
    b = to_points.mean() - a * from_points.mean()
    return np.array([(a.real, -a.imag, b.real), (a.imag, a.real, b.imag)])


def _own_pixels(square: Square, face: Face, parser: Parser, within: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The pixels of `face` itself within some: those that hang together with its landmarks.

    A neighbour's cheek may be in the square, too.
    """
    import cv2

    count, parts = cv2.connectedComponents((_face_pixels(square, parser) & within).astype(np.uint8))
    places = np.rint(square.place(np.asarray(face.landmarks))).astype(int).clip(0, SIDE - 1)
    own = set(parts[places[:, 1], places[:, 0]].tolist()) - {0}
    return np.isin(parts, list(own) or list(range(1, count)))


def _face_pixels(square: Square, parser: Parser) -> npt.NDArray[np.bool_]:
    return np.isin(parser.classes(square.pixels), FACE_CLASSES)


def _within(square: Square, beyond: tuple[bool, bool, bool, bool] = (False,) * 4) -> npt.NDArray[np.bool_]:
    """Where in the square the photograph is, less a margin: a face cut off at its edge is faded out before the edge.

    Args:
        square: cut out of a picture.
        beyond: for its left, upper, right and lower side, whether the face may go on behind it.
    """
    margin = FEATHER // 2 + DILATION // 2 + 1
    left, top, right, bottom = square.crop
    (x1, y1), (x2, y2) = square.place(np.array([(left, top), (right - 1, bottom - 1)]))
    y, x = np.mgrid[:SIDE, :SIDE]
    sides = (x >= x1 + margin, y >= y1 + margin, x <= x2 - margin, y <= y2 - margin)
    inside = np.ones((SIDE, SIDE), np.bool_)
    for side, open_side in zip(sides, beyond, strict=True):
        inside &= side | open_side
    return inside


def _warp(layers: Mask, transform: Points, width: int, height: int) -> Mask:
    """`layers`, `[512, 512, C]`, brought to `[height, width, C]`; zeros all around."""
    import cv2

    turn, shift = transform[:, :2], transform[:, 2]
    side = min(SIDE, round(SIDE * math.hypot(*turn[:, 0])))
    if side == 0:
        return np.zeros((height, width, layers.shape[2]), np.float32)
    small = cv2.resize(layers, (side, side), interpolation=cv2.INTER_AREA)
    # Whole numbers are the middles of pixels, before and after: the first of n that become one is (n - 1) / 2 off.
    each = SIDE / side
    adjusted = np.column_stack([turn * each, shift + turn @ np.full(2, (each - 1) / 2)])
    warped: Mask = cv2.warpAffine(small, adjusted, (width, height), flags=cv2.INTER_LINEAR)
    return warped
