"""Embedded colour profiles: what was mixed for a phone's screen or a printing press, in sRGB."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

PROFILED = ("L", "RGB", "CMYK", "LAB")
SAME = 2
"""Levels of 255 by which a profile may differ from sRGB and still be sRGB: the rounding of its tables."""


def to_srgb(image: Image.Image) -> Image.Image:
    """`image` in sRGB.

    Args:
        image: of 8 bits, without transparency. A profile in it is followed unless it is broken, made for other
            channels, or sRGB itself.

    Returns:
        RGB; the pixels of an RGB image in sRGB or without profile are its own.
    """
    if image.mode not in PROFILED:
        image = image.convert("RGB")
    transform = _transform(image)
    if transform is None:
        return image.convert("RGB")
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None
    return converted


def _transform(image: Image.Image) -> ImageCms.ImageCmsTransform | None:
    source = _profile(image)
    if source is None:
        return None
    try:
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            image.mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except ImageCms.PyCMSError:
        return None
    return None if image.mode == "RGB" and _changes_nothing(transform) else transform


def _profile(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    if image.mode == "LAB":
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    embedded = image.info.get("icc_profile")
    if not embedded:
        return None
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(embedded))
    except (OSError, ImageCms.PyCMSError):
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    levels = np.arange(0, 256, 17, dtype=np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
    converted = ImageCms.applyTransform(Image.fromarray(colours), transform)
    return int(np.abs(np.asarray(converted).astype(int) - colours).max()) <= SAME
