"""What may become of a small picture on its way: blur, other light, patches of wrong colour, noise, a codec.

A small VAE and a diffusion model spoil pictures like this; the face models are to bear it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from standin_batch.face.subject import Pixels

BLUR = 1.6
"""The widest Gaussian, as sigma in pixels."""
NOISE = 10.0
GAIN, SHIFT = 0.12, 14.0
"""How much the light changes: as a share of each level, and in levels."""
TINT = 0.04
"""The same of each colour by itself."""
PATCH = 14.0
PATCHES = 6
"""Levels by which patches differ, and their number along a side."""
QUALITY = (25, 95)
"""Of JPEG."""
HALF = 0.5
"""How often each of them happens."""

Floats = npt.NDArray[np.float32]


def worn(pixels: Pixels, rng: np.random.Generator, often: float = HALF) -> Pixels:
    """`pixels`, `[H, W, 3]`, after some of it by chance, each with the probability `often`."""
    steps = (_blurred, _lit, _patched, _noisy)
    changed = pixels.astype(np.float32)
    for step in steps:
        if rng.random() < often:
            changed = step(changed, rng)
    rounded = np.clip(np.rint(changed), 0, 255).astype(np.uint8)
    return _coded(rounded, rng) if rng.random() < often else rounded


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    """`pixels`, `[H, W, 3]`, under a Gaussian of `sigma` pixels."""
    import cv2

    softened: Pixels = cv2.GaussianBlur(pixels, (0, 0), sigma)
    return softened


def _blurred(pixels: Floats, rng: np.random.Generator) -> Floats:
    import cv2

    softened: Floats = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.3, BLUR))
    return softened


def _lit(pixels: Floats, rng: np.random.Generator) -> Floats:
    gain = 1 + rng.uniform(-GAIN, GAIN) + rng.uniform(-TINT, TINT, 3)
    shift = rng.uniform(-SHIFT, SHIFT) + rng.uniform(-SHIFT / 3, SHIFT / 3, 3)
    return (pixels * gain + shift).astype(np.float32)


def _patched(pixels: Floats, rng: np.random.Generator) -> Floats:
    import cv2

    field = rng.normal(0, rng.uniform(0, PATCH), (PATCHES, PATCHES, 3)).astype(np.float32)
    height, width = pixels.shape[:2]
    spread: Floats = cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC)
    return pixels + spread


def _noisy(pixels: Floats, rng: np.random.Generator) -> Floats:
    noise = rng.standard_normal(pixels.shape, np.float32)
    return pixels + noise * np.float32(rng.uniform(0, NOISE))


def _coded(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    import cv2

    quality = int(rng.integers(*QUALITY))
    _, packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
