"""Pictures to look at, one for each mode: a portrait, and beside it what was made of it, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from training.meaning import cases as kinds
from training.meaning.asked import given
from training.meaning.cases import Case, of_kind
from training.world.draw import Clip
from training.world.paint import Pixels
from training.world.portrait import portrait

FRAMES = (0, 2, 4, 6, 8, 10, 12)
ENLARGED = 2
GAP = 8
"""White pixels between pictures."""
ROWS = 4
STEP = 5
"""From one clip that is shown to the next, so that they differ in place and action."""


@dataclass(frozen=True)
class Row:
    """A portrait and its strips.

    Attributes:
        case: whose identity it is.
        strips: clips, uint8 `[T, H, W, 3]`, one below the other: what was given, if there was anything, then what was
            made.
    """

    case: Case
    strips: Sequence[Clip]


def sheets(asked: Sequence[Case], clips: Mapping[str, Clip]) -> dict[str, Pixels]:
    """The sheet of each mode under its name, uint8 `[H, W, 3]`, RGB.

    Args:
        asked: the cases, at least one of each kind.
        clips: by their names.
    """
    without = {case.number: case for case in of_kind(asked, kinds.PLAIN)}
    rows = {
        "identity": [Row(case, [clips[case.name]]) for case in of_kind(asked, kinds.IDENTITY)],
        "control": [Row(case, [given(case), clips[case.name]]) for case in of_kind(asked, kinds.CONTROL)],
        "style": [
            Row(case, [clips[without[case.number].name], clips[case.name]]) for case in of_kind(asked, kinds.INK)
        ],
        "swap": [Row(case, [given(case), clips[case.name]]) for case in of_kind(asked, kinds.SWAP)],
    }
    return {name: _below([_drawn(row) for row in _some(each)]) for name, each in rows.items()}


def _some(rows: Sequence[Row]) -> Sequence[Row]:
    step = STEP if len(rows) > (ROWS - 1) * STEP else 1
    return rows[::step][:ROWS]


def _drawn(row: Row) -> Pixels:
    strips = _below([_beside([_enlarged(frame) for frame in strip[list(FRAMES)]]) for strip in row.strips])
    side = len(strips)
    shown = Image.fromarray(portrait(row.case.who)).resize((side, side), Image.Resampling.LANCZOS)
    return _beside([np.asarray(shown), strips])


def _enlarged(frame: Pixels) -> Pixels:
    height, width = frame.shape[:2]
    size = width * ENLARGED, height * ENLARGED
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BICUBIC))


def _beside(pictures: Sequence[Pixels]) -> Pixels:
    return np.concatenate([part for picture in pictures for part in (_white(len(picture), GAP), picture)][1:], axis=1)


def _below(pictures: Sequence[Pixels]) -> Pixels:
    return np.concatenate([part for picture in pictures for part in (_white(GAP, picture.shape[1]), picture)][1:])


def _white(height: int, width: int) -> Pixels:
    return np.full((height, width, 3), 255, np.uint8)
