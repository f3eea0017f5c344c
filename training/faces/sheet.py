"""Sheets to look at while the face models learn: rows of pictures with what a model says of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from standin_batch.face.detect import Face, InsightFaceDetector, fitting
from standin_batch.face.subject import Pixels
from training.faces.pictures import nobody
from training.faces.unseen import clip_of, shots, spoilt, unseen
from training.world.draw import SIZE
from training.world.portrait import portrait
from training.world.scene import STYLES

TILE = 192
BOX, LANDMARK = (255, 0, 128), (0, 255, 255)
CHARACTERS = 4

Rows = Sequence[Sequence[Pixels]]


def write_sheet(path: Path, rows: Rows) -> None:
    """Lay pictures of any size out in rows and write them as PNG."""
    from standin_batch.files import replace_atomic

    tiles = [np.hstack([np.asarray(Image.fromarray(cell).resize((TILE, TILE))) for cell in row]) for row in rows]
    with replace_atomic(path) as temporary:
        Image.fromarray(np.vstack(tiles)).save(temporary)


def detections(folder: Path) -> Rows:
    """Frames of unseen characters' clips, portraits, and pictures without anybody, with the faces found there."""
    small, large = InsightFaceDetector(folder, "cpu", size=fitting(SIZE, SIZE)), InsightFaceDetector(folder, "cpu")
    rows = [
        [marked(spoilt(shot.pixels, index), small) for shot in shots(clip_of(who, index, STYLES[index % 2]))]
        for index, who in enumerate(unseen(CHARACTERS))
    ]
    width, rng = len(rows[0]), np.random.default_rng(1)
    rows.append([marked(portrait(who, view=view), large) for view, who in enumerate(unseen(width))])
    rows.append([marked(nobody(rng).pixels, small) for _ in range(width)])
    return rows


def marked(pixels: Pixels, detector: InsightFaceDetector) -> Pixels:
    """A picture with the faces that a detector finds in it."""
    faces = detector.detect(np.ascontiguousarray(pixels[..., ::-1]))
    scale = TILE / len(pixels)
    shown = Image.fromarray(pixels).resize((TILE, TILE))
    for face in faces:
        _mark(ImageDraw.Draw(shown), face, scale)
    return np.asarray(shown)


def _mark(canvas: ImageDraw.ImageDraw, face: Face, scale: float) -> None:
    left, top, right, bottom = ((value + 0.5) * scale for value in face.box)
    canvas.rectangle((left, top, max(right, left), max(bottom, top)), outline=BOX)
    for x, y in face.landmarks:
        x, y = (x + 0.5) * scale, (y + 0.5) * scale
        canvas.ellipse((x - 2, y - 2, x + 2, y + 2), fill=LANDMARK)
