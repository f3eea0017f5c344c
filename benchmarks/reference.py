"""A checkout of the reference, named by its user, run by its own script: never part of this project.

Source of the options: `infer.py` of WeChatCV/Stand-In. It makes 832 x 480 x 81 with Wan2.1 at 14B, with a face, without
LoRAs, and nothing else; where that was not asked for, or it fails, nothing was measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.calls import process
from benchmarks.common import BenchmarkError

SCRIPT = "infer.py"
SIZE, FRAMES = "832x480", 81


def reference_seconds(
    arguments: argparse.Namespace,
    jobs: Sequence[Mapping[str, Any]],
    identities: Mapping[str, Any],
    prompts: Mapping[str, str],
) -> list[float]:
    """Seconds of one process of the reference for each job.

    Args:
        arguments: `reference`, `size`, `frames` and `steps` as the command line has them.
        jobs: with `identity`, `prompt` and `seed`, each by its name.
        identities: photographs by name.
        prompts: texts by name.

    Raises:
        BenchmarkError: saying why nothing can be measured.
    """
    folder: Path = arguments.reference.resolve()
    if not (folder / SCRIPT).is_file():
        raise BenchmarkError(f"there is no {folder / SCRIPT}", "name a checkout of WeChatCV/Stand-In")
    if (arguments.size, arguments.frames) != (SIZE, FRAMES):
        raise BenchmarkError(f"the reference's script makes only {SIZE} with {FRAMES} frames", f"use --size {SIZE}")
    with tempfile.TemporaryDirectory(prefix="standin-reference-") as output:
        return [
            _seconds(
                folder, Path(output), arguments.steps, str(identities[job["identity"]]), prompts[job["prompt"]], job
            )
            for job in jobs
        ]


def _seconds(folder: Path, output: Path, steps: int, image: str, prompt: str, job: Mapping[str, Any]) -> float:
    command = [sys.executable, SCRIPT, "--ip_image", image, "--prompt", prompt, "--seed", str(job["seed"])]
    command += ["--num_inference_steps", str(steps), "--output", str(output / "clip.mp4")]
    return process(command, folder, {}).seconds
