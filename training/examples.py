"""Draws the pictures and clips that `manifests/demo.yaml` uses, of characters that no stage has seen.

    python -m training.examples [--out manifests]

`faces/pia.png` and `faces/otto.png`: portraits. `clips/jump.mp4`: a control video. `clips/stroll.mp4`: somebody else
walks through a meadow. `loras/ink.safetensors` is not drawn, but trained.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

from standin_batch.output.video import write_video
from training.weights import ROW
from training.world.character import character
from training.world.control import control
from training.world.draw import draw
from training.world.portrait import portrait
from training.world.scene import scene

FACES = {"pia": 1_000_012, "otto": 1_000_019}
"""Seeds of characters, as `training.clips` holds them out."""
STROLLER = 1_000_016
SEED = 1_000_000
QUALITY = 9


def main() -> None:
    """Write everything."""
    parser = argparse.ArgumentParser(prog="python -m training.examples", description="What manifests/demo.yaml uses.")
    parser.add_argument("--out", type=Path, default=Path("manifests"), help="the folder of the manifest")
    write_examples(parser.parse_args().out)


def write_examples(out: Path) -> None:
    """Write the pictures and clips below `out`, the same bytes every time."""
    (out / "faces").mkdir(parents=True, exist_ok=True)
    (out / "clips").mkdir(parents=True, exist_ok=True)
    for name, seed in FACES.items():
        Image.fromarray(portrait(character(seed))).save(out / "faces" / f"{name}.png", optimize=True)
    who = character(STROLLER)
    jump = control(scene(SEED, character=who, action="jumps"))
    stroll = draw(scene(SEED, character=who, background="meadow", action="walks to the right"))
    for name, frames in (("jump", jump), ("stroll", stroll)):
        path = out / "clips" / f"{name}.mp4"
        write_video(path, frames, ROW.defaults["fps"], quality=QUALITY, metadata={})


if __name__ == "__main__":
    main()
