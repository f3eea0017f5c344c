"""What beside Python's libraries does the work: ffmpeg, and the kernels for attention."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec

from standin_batch.environment.finding import PIP, Finding, Level

ENCODER = "libx264"
START_SECONDS = 20
CHOSEN_FFMPEG = "IMAGEIO_FFMPEG_EXE"
"""Environment variable that puts another ffmpeg in the place of the one that imageio-ffmpeg brings."""

KERNELS = {"flash_attn_interface": "FlashAttention-3", "flash_attn": "FlashAttention-2", "sageattention": "Sage"}
"""In the order in which DiffSynth's Wan takes what can be imported; PyTorch's own is the last."""


def attention_finding() -> Iterator[Finding]:
    """Which kernels are here; the first is taken."""
    found = [name for module, name in KERNELS.items() if find_spec(module)]
    yield Finding("attention", Level.OK, ", ".join([*found, "PyTorch SDPA"]))


def ffmpeg_finding() -> Iterator[Finding]:
    """Whether ffmpeg starts and can write H.264."""
    try:
        import imageio_ffmpeg

        program = imageio_ffmpeg.get_ffmpeg_exe()
        ran = subprocess.run(
            [program, "-hide_banner", "-encoders"], capture_output=True, text=True, timeout=START_SECONDS, check=False
        )
    except (ImportError, RuntimeError, OSError, subprocess.SubprocessError) as error:
        yield Finding("ffmpeg", Level.ERROR, f"it cannot be started: {error}", _another())
        return
    if ran.returncode != 0:
        said = (ran.stderr.strip().splitlines() or ["it says nothing"])[-1]
        yield Finding("ffmpeg", Level.ERROR, f"{program} does not work: {said}", _another())
    elif ENCODER not in ran.stdout.split():
        yield Finding("ffmpeg", Level.ERROR, f"{program} cannot write H.264: it has no {ENCODER}", _another())
    else:
        yield Finding("ffmpeg", Level.OK, f"{imageio_ffmpeg.get_ffmpeg_version()} with {ENCODER}, {program}")


def _another() -> str:
    if os.environ.get(CHOSEN_FFMPEG):
        return f"unset {CHOSEN_FFMPEG}"
    return f"{PIP} install --force-reinstall --no-deps imageio-ffmpeg"
