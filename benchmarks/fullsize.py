"""The true size, all but the picture real: random weights at 14B shapes, run through the command line.

Steps, each below ten minutes on a machine with one H200; they share a folder that may be on any disk of 64 GB:

  python -m benchmarks.fullsize check           imports all that is needed, and names all that is missing
  python -m benchmarks.fullsize write DIR       41 GB of weights in the hub's layout; goes on where it was cut
  python -m benchmarks.fullsize manifest DIR    2 identities x 2 seeds, a short job with a LoRA; digests of all files
  python -m benchmarks.fullsize run DIR         `standin run --json`; --minutes 8 stops in time, the same step goes on
  python -m benchmarks.fullsize stock DIR       a CFG step of stock DiffSynth on the same files
  python -m benchmarks.fullsize report DIR      the table; what was not measured says so

Speed-ups that a manifest has to ask for are runs of their own: `run DIR --name fp8`, or `sage`, `cache`, `compile` and
`turbo`. Any other name takes options of `standin run` behind `--`:

  python -m benchmarks.fullsize run DIR --name tiled -- --set defaults.vae_tiled=true

`--scale tiny` does the same at sizes that a CPU runs. Subjects are no faces: no face model is needed, and neither
insightface nor facexlib. Nothing is downloaded or installed: this checkout goes on PYTHONPATH, and so do these wheels
where the machine has them not:

  diffsynth with transformers, accelerate, einops, safetensors, imageio, imageio-ffmpeg, pandas, scipy, requests, tqdm,
  modelscope, modelscope-hub, ftfy, wcwidth, and torchvision of the same build as torch; pydantic with pydantic-core,
  annotated-types and typing-inspection; typer, rich, pyyaml, numpy, pillow, packaging, pyarrow and
  opencv-python-headless; for scores also imagehash with PyWavelets (without, a warning says that clips are not scored).
"""

from __future__ import annotations

import sys

from benchmarks.common import guarded
from benchmarks.full.wheels import check

CHECKED = ("check", "write")
"""Steps that begin with the check: before 41 GB are written."""


def main() -> None:
    """Take one step."""
    words = sys.argv[1:]
    if words[:1] and words[0] in CHECKED and not {"-h", "--help"} & set(words):
        check()
    from benchmarks.full.steps import take  # here, as it needs some of what was checked

    take(words, __doc__)


if __name__ == "__main__":
    guarded(main)
