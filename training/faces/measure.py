"""Measure trained face models: `python -m training.faces.measure --models DIR` prints the numbers as JSON.

All are loaded by the classes that a run loads them by, and look at characters that none of them was trained on.
`together` is what a run sees: faces found and aligned by the detector itself, then told apart.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from standin_batch.face.detect import EMBEDDER, InsightFaceDetector, fitting, largest
from standin_batch.face.subject import Pixels
from training.faces import measure_detector, measure_embedder, measure_parser
from training.faces.measure_embedder import Compared, Floats
from training.faces.unseen import clip_of, shots, spoilt, unseen
from training.world.draw import SIZE
from training.world.portrait import portrait
from training.world.scene import STYLES

CHARACTERS = 50
PARSED = 25
"""Characters that the parser sees: it takes a second for a square."""

Numbers = dict[str, float]


def measure(models: Path, characters: int = CHARACTERS, squares: int = PARSED) -> dict[str, Numbers]:
    """All measures of the models below `models`, by model.

    Args:
        models: holds `antelopev2/` and `face-parsing/`.
        characters: unseen ones, for detector and embedder.
        squares: unseen characters for the parser.
    """
    folder = models / "antelopev2"
    return {
        "bytes": {path.name: path.stat().st_size for path in sorted(models.glob("*/*.*"))},
        "detector": measure_detector.measured(folder, characters),
        "embedder": measure_embedder.measured(measure_embedder.compared(folder / EMBEDDER, characters)),
        "together": measure_embedder.measured(found_and_compared(folder, characters)),
        "parser": measure_parser.measured(models / "face-parsing", squares),
    }


def found_and_compared(folder: Path, characters: int) -> Compared:
    """Blurred and noisy frames of clips against portraits, by the detector's own faces.

    A frame without a face is like nobody.
    """
    small = InsightFaceDetector(folder, "cpu", with_embedding=True, size=fitting(SIZE, SIZE))
    large = InsightFaceDetector(folder, "cpu", with_embedding=True)
    frames, styles, owners = zip(*_frames(characters), strict=True)
    portraits = [portrait(who) for who in unseen(characters)]
    one, other = (
        np.stack([_embedding(detector, pixels) for pixels in shown])
        for detector, shown in ((small, frames), (large, portraits))
    )
    return Compared(list(frames), list(styles), np.array(owners), portraits, one @ other.T)


def _frames(characters: int) -> Iterator[tuple[Pixels, str, int]]:
    for index, who in enumerate(unseen(characters)):
        for style in STYLES:
            for number, shot in enumerate(shots(clip_of(who, index, style))):
                yield spoilt(shot.pixels, index * 100 + number), style, index


def _embedding(detector: InsightFaceDetector, pixels: Pixels) -> Floats:
    face = largest(detector.detect(np.ascontiguousarray(pixels[..., ::-1])))
    if face is None or face.embedding is None:
        return np.zeros(512, np.float32)
    unit: Floats = face.embedding / np.linalg.norm(face.embedding)
    return unit


def main() -> None:
    """The command."""
    made = argparse.ArgumentParser(prog="python -m training.faces.measure")
    made.add_argument("--models", type=Path, required=True, help="folder of antelopev2/ and face-parsing/")
    made.add_argument("--characters", type=int, default=CHARACTERS, help="for detector and embedder")
    made.add_argument("--squares", type=int, default=PARSED, help="characters for the parser")
    given = made.parse_args()
    print(json.dumps(measure(given.models, given.characters, given.squares), indent=2))


if __name__ == "__main__":
    main()
