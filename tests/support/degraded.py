"""Good photographs made bad, each in one way, so that the tiny model's detector, which knows one face, still sees it.

`BAD` has for each name the causes that preflight has to tell, beside that all of them show one person.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from standin_batch.face.checks import Cause

FACES = Path(__file__).parents[2] / "manifests" / "faces"
HEAD = (90, 0, 600, 510)
"""Of the portrait, in pixels."""


def portrait() -> Image.Image:
    """The quick start's, half as large again: its face has 146 pixels."""
    return Image.open(FACES / "astronaut.png").convert("RGB").resize((768, 768), Image.Resampling.LANCZOS)


def cat() -> Image.Image:
    return Image.open(FACES / "chelsea.png").convert("RGB")


def side_by_side(one: Image.Image, other: Image.Image) -> Image.Image:
    both = Image.new("RGB", (one.width + other.width, max(one.height, other.height)), (128, 128, 128))
    both.paste(one, (0, 0))
    both.paste(other, (one.width, 0))
    return both


def shaded(image: Image.Image, change: Callable[[np.ndarray], np.ndarray]) -> Image.Image:
    changed = change(np.asarray(image).astype(np.float32))
    return Image.fromarray(np.clip(changed, 0, 255).astype(np.uint8))


BAD: dict[str, tuple[Cause, Callable[[], Image.Image]]] = {
    "a_cat": (Cause.NO_FACE, cat),
    "a_wall": (Cause.NO_FACE, lambda: Image.new("RGB", (512, 512), (120, 110, 100))),
    "two_people": (Cause.SEVERAL_FACES, lambda: side_by_side(portrait(), portrait().crop(HEAD))),
    "tiny": (Cause.TOO_SMALL, lambda: portrait().resize((320, 320))),
    "out_of_focus": (Cause.BLURRED, lambda: portrait().filter(ImageFilter.GaussianBlur(3))),
    "enlarged": (Cause.BLURRED, lambda: portrait().resize((160, 160)).resize((768, 768))),
    "at_the_left_edge": (Cause.CUT_OFF, lambda: portrait().crop((292, 0, 768, 768))),
    "without_chin": (Cause.CUT_OFF, lambda: portrait().crop((0, 0, 768, 247))),
    "at_night": (Cause.TOO_DARK, lambda: shaded(portrait(), lambda pixels: pixels * 0.15)),
    "in_the_sun": (Cause.TOO_BRIGHT, lambda: shaded(portrait(), lambda pixels: pixels * 1.7)),
}
