"""Train the detector: `python -m training.faces.detector --out DIR` writes `DIR/antelopev2/scrfd_10g_bnkps.onnx`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from standin_batch.face.subject import Pixels
from training.faces.command import Command
from training.faces.detector_net import SIZES, DetectorNet, Floats, Truth
from training.faces.loop import Course
from training.faces.measure_detector import measured
from training.faces.pictures import Picture, in_scene, nobody, on_white, someone, style
from training.faces.sheet import detections, write_sheet
from training.faces.wear import worn
from training.loop import Schedule
from training.world.draw import SIZE

if TYPE_CHECKING:
    import torch

FILE = Path("antelopev2") / "scrfd_10g_bnkps.onnx"
COURSE = Course(Schedule(3000, 3e-3, averaged=0.99, look_every=1000, seed=10), weight_decay=1e-2)
PICTURES = 1000
"""Drawn once; they are shown at many sizes, each time differently worn."""
BATCH = 24
CANVAS = 128
"""Pixels of the square in which faces are learned."""
LEVELS = 4
"""Sizes of that square, each half of the one before: what the whole detector looks at."""
SIDES = (10.0, 500.0)
"""Of faces there, in pixels: those that are too small or too large for the network are to be learned, too."""
FITTING = 0.5
"""Share of those that are not."""
AT_CORNER, ELSEWHERE = 0.4, 0.2
"""How often a picture begins in the corner, as in use, and something else than the face is in the square's middle: so
that no hand is taken for a face."""
EMPTY, PORTRAIT = 0.12, 0.38
"""Shares of the pictures."""
SMALLEST, LARGEST = 48, 640
"""Pixels of the pictures that are drawn; others are scaled."""
FACE = 0.4
"""Of a face, about, as a share of its picture's side."""


@dataclass
class DetectorLesson:
    """What a face is, and what is none.

    Attributes:
        seed: of the pictures.
        pictures: how many are drawn.
    """

    seed: int = 10
    pictures: int = PICTURES
    name = "detector"

    def network(self) -> torch.nn.Module:
        """A new one."""
        return DetectorNet()

    def loss(self, network: torch.nn.Module, rng: np.random.Generator) -> torch.Tensor:
        """Of pictures in which a face is anywhere, at any size."""
        import torch

        from training.faces.detector_net import STRIDE, loss, shrunk, targets

        pictures, truths = zip(*(lesson(self._album, rng) for _ in range(BATCH)), strict=True)
        images = torch.from_numpy((np.stack(pictures).astype(np.float32) - 127.5) / 128).permute(0, 3, 1, 2)
        losses = []
        for level in range(LEVELS):
            side = CANVAS >> level
            seen = shrunk(images, side)
            right = [truth.shrunk(1 << level) for truth in truths]
            losses.append(loss(network(seen), targets(right, side // STRIDE, side // STRIDE)))
        return torch.stack(losses).sum()

    @cached_property
    def _album(self) -> list[Picture]:
        rng = np.random.default_rng(self.seed)
        return [_drawn(rng) for _ in range(self.pictures)]

    def look(self, network: torch.nn.Module, folder: Path) -> Mapping[str, float]:
        """Write the model, find faces by it in clips that it has not seen, and draw them."""
        self.write(network, folder)
        numbers = measured(folder / FILE.parent, characters=6)
        write_sheet(folder / "detector.png", detections(folder / FILE.parent))
        return numbers

    def write(self, network: torch.nn.Module, folder: Path) -> None:
        """As the file that insightface loads."""
        import onnx

        from standin_batch.files import replace_atomic
        from training.faces.detector_onnx import detector_model

        if not isinstance(network, DetectorNet):
            raise TypeError("this is no detector")
        with replace_atomic(folder / FILE) as path:
            onnx.save(detector_model(network), str(path))


def lesson(album: Sequence[Picture], rng: np.random.Generator) -> tuple[Pixels, Truth]:
    """One picture, `[128, 128, 3]`, and what is right for it."""
    low, high = SIZES if rng.random() < FITTING else SIDES
    side = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return _placed(album[int(rng.integers(len(album)))], side, rng)


def _drawn(rng: np.random.Generator) -> Picture:
    """Scenes are mostly as large as clips, portraits of any size."""
    kind = rng.random()
    size = int(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))))
    if kind < EMPTY:
        return nobody(rng, SIZE if rng.random() < 0.5 else size)
    if kind < EMPTY + PORTRAIT:
        return on_white(rng, someone(rng), size)
    return in_scene(rng, someone(rng), style(rng), SIZE if rng.random() < 0.7 else min(size, 2 * SIZE))


def _placed(picture: Picture, side: float, rng: np.random.Generator) -> tuple[Pixels, Truth]:
    """The picture at the size at which its face has this side; a part of it on the canvas."""
    import cv2

    is_small = len(picture.pixels) <= 2 * SIZE
    pixels = worn(picture.pixels, rng) if is_small else picture.pixels
    points = _points(picture, rng)
    scale = side / max(float((points[1] - points[0]).mean()), 1.0)
    size = max(round(len(pixels) * scale), 2)
    method = cv2.INTER_AREA if size < len(pixels) else cv2.INTER_LINEAR
    pixels, points = cv2.resize(pixels, (size, size), interpolation=method), points * (size / len(pixels))
    if rng.random() < 0.5:
        pixels, points = pixels[:, ::-1], _mirrored(points, size)
    canvas = np.empty((CANVAS, CANVAS, 3), np.uint8)
    canvas[:] = 0 if rng.random() < 0.5 else rng.integers(0, 256, 3)
    elsewhere = side > SIZES[1] or rng.random() < ELSEWHERE
    seen = rng.uniform(0, size, 2) if elsewhere else points[:2].mean(axis=0)
    corner = np.rint(seen - rng.uniform(0, CANVAS, 2)).astype(int)
    if rng.random() < AT_CORNER:
        corner = np.minimum(corner, 0) if elsewhere else np.zeros(2, int)
    left, top = np.maximum(-corner, 0)
    part = pixels[max(corner[1], 0) : corner[1] + CANVAS, max(corner[0], 0) : corner[0] + CANVAS]
    if part.size and not is_small:
        part = worn(part, rng)
    canvas[top : top + part.shape[0], left : left + part.shape[1]] = part
    if picture.truth is None:
        return canvas, Truth(None)
    return canvas, Truth((points - corner).astype(np.float32))


def _points(picture: Picture, rng: np.random.Generator) -> Floats:
    """Box and landmarks, `[7, 2]`, from the picture's corner; anything in a picture without a face."""
    size = len(picture.pixels)
    if picture.truth is None:
        middle = rng.uniform(0, size, 2)
        return np.array([middle - FACE * size / 2, middle + FACE * size / 2] + [middle] * 5, np.float32)
    return np.array([picture.truth.box[:2], picture.truth.box[2:], *picture.truth.landmarks], np.float32) + 0.5


def _mirrored(points: Floats, width: int) -> Floats:
    """Left is right: so the corners of the box change places, and the eyes, and those of the mouth."""
    flipped = points.copy()
    flipped[:, 0] = width - points[:, 0]
    flipped[:2, 0] = flipped[1::-1, 0]
    return flipped[[0, 1, 3, 2, 4, 6, 5]]


if __name__ == "__main__":
    Command(DetectorLesson(), COURSE).run()
