"""`python -m training.world --out DIR`: sheets of the world to look at."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from training.world.character import character
from training.world.control import control
from training.world.draw import draw
from training.world.paint import Pixels
from training.world.portrait import portrait
from training.world.scene import ACTIONS, BACKGROUNDS, Scene, caption, scene

SHOWN = (0, 2, 4, 6, 8, 10, 12)


def main() -> None:
    """Write the sheets."""
    parser = argparse.ArgumentParser(prog="python -m training.world", description="Sheets of the drawn world.")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, sheet in sheets().items():
        Image.fromarray(sheet).save(out / f"{name}.png")
        print(out / f"{name}.png")


def sheets() -> dict[str, Pixels]:
    """Every sheet under its name: uint8 `[H, W, 3]`, RGB."""
    clips = [scene(seed, action=ACTIONS[seed % 6], background=BACKGROUNDS[seed % 8]) for seed in range(16)]
    inked = [scene(seed, background=BACKGROUNDS[seed % 8], style="ink") for seed in range(8)]
    for one in (*clips, *inked):
        print(one.seed, caption(one))
    places = [draw(scene(seed, background=name), frames=1)[0] for name in BACKGROUNDS for seed in range(5)]
    return {
        "portraits": grid([portrait(character(seed), 160) for seed in range(40)], 8),
        "views": grid([portrait(character(seed), 160, view) for seed in range(4) for view in range(8)], 8),
        "clips": grid([frame for one in clips for frame in strip(one)], 14),
        "ink": grid([frame for one in inked for frame in strip(one)], 7),
        "backgrounds": grid(places, 5),
        "control": grid([frame for one in clips[:6] for frame in (*strip(one), *control(one)[list(SHOWN)])], 14),
    }


def strip(scene: Scene) -> Pixels:
    """Seven frames of a clip."""
    return draw(scene)[list(SHOWN)]


def grid(pictures: Sequence[Pixels], columns: int) -> Pixels:
    """Pictures of one size in rows of `columns`."""
    rows = [np.concatenate(pictures[at : at + columns], 1) for at in range(0, len(pictures), columns)]
    return np.concatenate(rows)


if __name__ == "__main__":
    main()
