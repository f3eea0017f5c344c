"""How well the parser tells heads from what is behind them, as `BiSeNetParser` loads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from standin_batch.face.parse import BACKGROUND, BiSeNetParser
from standin_batch.face.paste import FACE_CLASSES
from standin_batch.face.subject import Pixels, whiten
from training.faces.pictures import FINER, Picture
from training.faces.squares import Classes, square
from training.faces.unseen import EVERY, clip_of, spoilt, unseen
from training.world import parts
from training.world.draw import SIZE, draw, labels, truth
from training.world.portrait import portrait, portrait_labels, portrait_truth
from training.world.scene import STYLES

Mask = npt.NDArray[np.bool_]

PARTS = {
    "foreground": tuple(range(BACKGROUND + 1, 19)),
    "face": FACE_CLASSES,
    "hair_and_hat": (parts.HAIR, parts.HAT),
}
"""What is compared, and the classes of which it consists."""
SHOWN = 4
"""Squares in a row of the sheet."""


def measured(folder: Path, characters: int) -> dict[str, float]:
    """What the parser's parts and the true ones have in common, of what they cover together; means over squares.

    Args:
        folder: of the parser.
        characters: how many; of each a portrait, and a spoilt frame of a clip in each style.
    """
    parser = BiSeNetParser(folder, "cpu")
    numbers: dict[str, float] = {}
    for kind in ("portrait", *STYLES):
        pairs = [(parser.classes(one.pixels), _classes(one)) for one in _squares(kind, characters)]
        for name, classes in PARTS.items():
            common = [_common(np.isin(said, classes), np.isin(true, classes)) for said, true in pairs]
            numbers[f"{kind}_{name}"] = float(np.mean(common))
        numbers[f"{kind}_right"] = float(np.mean([np.mean(said == true) for said, true in pairs]))
    return numbers


def parsed(folder: Path) -> list[list[Pixels]]:
    """Squares of portraits and frames, each with the background taken off below it, and the face alone below that."""
    parser = BiSeNetParser(folder, "cpu")
    rows: list[list[Pixels]] = []
    for kind in ("portrait", *STYLES):
        shown = [one.pixels for one in _squares(kind, SHOWN)]
        said = [parser.classes(pixels) for pixels in shown]
        rows.append(shown)
        rows.append([whiten(pixels, classes) for pixels, classes in zip(shown, said, strict=True)])
        rows.append([whiten(p, np.where(np.isin(c, FACE_CLASSES), c, 0)) for p, c in zip(shown, said, strict=True)])
    return rows


def _squares(kind: str, characters: int) -> Iterator[Picture]:
    for index, who in enumerate(unseen(characters)):
        if kind == "portrait":
            yield square(Picture(portrait(who), portrait_truth(who), portrait_labels(who)))
            continue
        clip = clip_of(who, index, kind)
        place = EVERY * (index % 3)
        pixels = spoilt(draw(clip)[place], index)
        yield square(Picture(pixels, truth(clip)[place], labels(clip, SIZE * FINER)[place]))


def _classes(picture: Picture) -> Classes:
    if picture.classes is None:
        raise ValueError("the picture has no classes")
    return picture.classes


def _common(said: Mask, true: Mask) -> float:
    """Of two masks; 1 if both are empty."""
    together = np.logical_or(said, true).sum()
    return float(np.logical_and(said, true).sum() / together) if together else 1.0
