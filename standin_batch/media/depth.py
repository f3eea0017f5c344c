"""Pictures of more than 8 bits a channel, scaled to 8: Pillow clips most of them to white, or cannot read them."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
MAX8, MAX16 = 255, 65535
BIG_TIFF, HEADER, BIG_HEADER = 43, 8, 16
"""The mark of a TIFF beyond 4 GiB, and the bytes before the tags of the usual one and of that."""


def eight_bit(image: Image.Image) -> Image.Image:
    """`image` with 8 bits a channel; one that has them already comes back as it is.

    Args:
        image: any mode. Greys of more than 16 bits are taken for 16 if they fit; floats for 0 to 1, 255 or 65535,
            whichever the largest fits.

    Returns:
        L or LA for greys of more than 8 bits, with the same profile.
    """
    transparent = image.info.get("transparency")
    if image.mode not in DEEP:
        if isinstance(transparent, tuple) and max(transparent) > MAX8:
            image = image.copy()  # Pillow cuts PNG's 16-bit RGB to the upper 8 bits, but not its transparent colour
            image.info["transparency"] = tuple(value >> 8 for value in transparent)
        return image
    values = np.asarray(image)
    grey = Image.fromarray(_scaled(values))
    if isinstance(transparent, int):
        grey.putalpha(Image.fromarray(np.where(values == transparent, 0, MAX8).astype(np.uint8)))
    grey.info.update({key: value for key, value in image.info.items() if key != "transparency"})
    return grey


def read_tiff(content: bytes) -> Image.Image:
    """A TIFF that Pillow does not know, by OpenCV: RGB of 16 bits or floats in planes, and the like.

    Raises:
        UnidentifiedImageError: if OpenCV does not know it either.
        Image.DecompressionBombError: if it has more pixels than Pillow would read.
    """
    import cv2

    _refuse_bomb(content)
    try:
        found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        found = None
    if found is None:
        raise UnidentifiedImageError("neither Pillow nor OpenCV knows this TIFF")
    pixels = found if found.dtype == np.uint8 else _scaled(found)
    if pixels.ndim == 3:
        pixels = np.ascontiguousarray(pixels[..., [2, 1, 0, 3][: pixels.shape[-1]]])
    return Image.fromarray(pixels)


def _refuse_bomb(content: bytes) -> None:
    """What Pillow does for files that it knows: OpenCV alone would take a thousand million pixels."""
    try:
        directory = TiffImagePlugin.ImageFileDirectory_v2(content[: BIG_HEADER if content[2] == BIG_TIFF else HEADER])
        file = io.BytesIO(content)
        file.seek(directory.next)
        directory.load(file)
        pixels = int(directory[TiffImagePlugin.IMAGEWIDTH]) * int(directory[TiffImagePlugin.IMAGELENGTH])
    except Exception as error:  # whatever a damaged list of tags makes of these lines
        raise UnidentifiedImageError("this TIFF does not say its size") from error
    if Image.MAX_IMAGE_PIXELS and pixels > (limit := 2 * Image.MAX_IMAGE_PIXELS):
        raise Image.DecompressionBombError(f"it has {pixels} pixels; at most {limit} are read")


def _scaled(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    numbers = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    shares = np.clip(numbers / _full(values, float(numbers.max(initial=0.0))), 0.0, 1.0)
    return np.rint(shares * MAX8).astype(np.uint8)


def _full(values: npt.NDArray[np.generic], largest: float) -> float:
    """The value that means white."""
    if values.dtype.kind == "f":
        return next((full for full in (1.0, MAX8, MAX16) if largest <= full), largest)
    if values.dtype.itemsize <= 2 or largest <= MAX16:
        return MAX16
    return float(np.iinfo(np.int32).max)
