"""The manifest of the full-size run, and the run: the real command line, its events kept beside its output.

A run that is cut by `--minutes` is gone on with by the same step; each call of it leaves a file of its own. What is
measured before the run is in that file before it starts: a call that is killed keeps it.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from benchmarks.calls import Call, python, standin, standin_run
from benchmarks.common import ROOT, BenchmarkError, commit, machine, versions
from benchmarks.full.parts import LORA
from benchmarks.timing import seconds
from standin_batch.errors import ExitCode
from standin_batch.weights.registry import ModelRow

MANIFEST = "fullsize.yaml"
RUNS = "runs"
CACHE = "cache"
FAILED = "failed.txt"
EXACT = "exact"
"""The name of the run that others are compared with."""

SPEEDS: Mapping[str, str] = {
    "fp8": "fp8=true",
    "sage": "attention=sage",
    "cache": "cache=0.1",
    "compile": "compile=true",
    "turbo": "turbo=random",
}
"""What the runs that are called after speed-ups ask for; `turbo` takes the random LoRA in place of a distilled one."""

CLIPS, SWITCH = "clips", "switch"
"""The jobs: those that are timed, and a short one with a LoRA, for the time of putting it on."""

SWITCH_STEPS = 2
LOADED = {"device", "model", "dtype", "seconds"}
"""What a line of `throughput.jsonl` has that tells how long a model took to load (`run/measured.py`)."""

CHUNK = 1 << 24

RATE = """
import sys
import torch
from benchmarks.timing import default_device, matmul_rate
print(matmul_rate(default_device(), getattr(torch, sys.argv[1])))
"""


def write_manifest(folder: Path, row: ModelRow, arguments: argparse.Namespace) -> Path:
    """Write the manifest of subject jobs: 2 identities x 2 seeds, and one job with a LoRA."""
    said = {"width": arguments.width, "height": arguments.height, "num_frames": arguments.frames}
    sizes = {key: value or row.defaults[key] for key, value in said.items()}
    manifest = {
        "version": 1,
        "name": "fullsize",
        "model": row.name,
        "defaults": {"mode": "t2v", **sizes, "num_inference_steps": arguments.steps},
        "identities": {name: _subject(name) for name in ("chelsea", "astronaut")},
        "prompts": {"desk": "A person sits comfortably at a desk, facing the camera as if talking to a friend."},
        "loras": {"random": {"path": LORA, "scale": 1.0}},
        "output": {"keep_latents": True},
        "jobs": [
            {"name": CLIPS, "prompt": "desk", "matrix": {"identity": ["chelsea", "astronaut"], "seed": [0, 1]}},
            {
                **{"name": SWITCH, "prompt": "desk", "identity": "chelsea", "loras": ["random"], "priority": -1},
                "num_inference_steps": min(SWITCH_STEPS, arguments.steps),
            },
        ],
    }
    path = folder / MANIFEST
    path.write_text(yaml.safe_dump(manifest, sort_keys=False), encoding="utf-8")
    return path


def plan(folder: Path) -> str:
    """Plan the manifest, so that the digests of the weights are known before anything is timed.

    Returns:
        What `standin plan` prints.

    Raises:
        BenchmarkError: if the manifest or the weights are not what they should be.
    """
    options = ("--checkpoints", str(folder / "checkpoints"))
    return standin("plan", str(folder / MANIFEST), *options, cache=folder / CACHE, workplace=folder).output


def run(folder: Path, row: ModelRow, arguments: argparse.Namespace) -> Path:
    """Run the manifest, or go on with it, and keep what happened.

    Returns:
        The file that has it.

    Raises:
        BenchmarkError: if the run fails, or `--minutes` are over before it starts.
    """
    begun = time.monotonic()
    here = folder / RUNS / arguments.name
    here.mkdir(parents=True, exist_ok=True)
    further = [*_speed(arguments.name), *arguments.options]
    kept = {"further": further, **_before(folder, row, arguments)}
    path = here / f"call-{len(list(here.glob('call-*.json')))}.json"
    _keep(path, kept)
    said = [*options(folder, arguments, begun), *further]
    call = _call(folder, here / "output", said)
    after = {"options": said, "process": {**asdict(call.process), "output": ""}, "events": call.events}
    _keep(path, {**kept, **after, "load_seconds": load_seconds(folder / CACHE)})
    (here / FAILED).unlink(missing_ok=True)
    return path


def _before(folder: Path, row: ModelRow, arguments: argparse.Namespace) -> dict[str, Any]:
    """What is measured before the run, in processes of their own."""
    files = sorted(path for path in (folder / "checkpoints").rglob("*") if path.is_file())
    return {
        "reading": None if arguments.skip_reading else read(files),
        "matmul_flop_per_second": float(python(RATE, row.defaults["dtype"], workplace=folder).output),
        **{"machine": machine(), "versions": versions(), "commit": commit()},
    }


def _call(folder: Path, output: Path, options: Sequence[str]) -> Call:
    return standin_run(
        folder / MANIFEST,
        *options,
        folder=output,
        cache=folder / CACHE,
        workplace=folder,
        accepted=(ExitCode.OK, ExitCode.STOPPED),
    )


def _keep(path: Path, kept: Mapping[str, Any]) -> None:
    """Whole or not at all: this may be killed at any moment."""
    building = path.with_suffix(".building")
    building.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    building.replace(path)


def read(files: Sequence[Path]) -> dict[str, Any]:
    """Read files plainly, twice: first from the disk, as far as the system lets go of them, then as the run finds them.

    The system is asked to forget what it has in memory of them; it keeps what was written and is not on the disk yet.
    """
    _forget(files)
    first, again = (seconds(lambda: _read(files), "cpu", repeats=1, warm_up=0) for _ in range(2))
    return {"bytes": sum(path.stat().st_size for path in files), "first_seconds": first, "again_seconds": again}


def say_failed(folder: Path, name: str, why: str) -> None:
    """Keep why a run came to nothing."""
    here = folder / RUNS / name
    here.mkdir(parents=True, exist_ok=True)
    (here / FAILED).write_text(why, encoding="utf-8")


def why_failed(folder: Path, name: str) -> str:
    """Why a run came to nothing; empty if it did not, or never ran."""
    path = folder / RUNS / name / FAILED
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _forget(files: Iterable[Path]) -> None:
    for path in files:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _read(files: Iterable[Path]) -> None:
    buffer = bytearray(CHUNK)
    for path in files:
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass


def options(folder: Path, arguments: argparse.Namespace, begun: float) -> list[str]:
    """What `standin run` is told; `--minutes` count from `begun`, of `time.monotonic`.

    Raises:
        BenchmarkError: if they are over.
    """
    said = ["--checkpoints", str(folder / "checkpoints"), "--device", arguments.device]
    if arguments.minutes is None:
        return said
    left = int(60 * arguments.minutes - (time.monotonic() - begun))
    if left <= 0:
        raise BenchmarkError(f"reading the files took all of {arguments.minutes} min", "add --skip-reading")
    return [*said, "--max-time", f"{left}s"]


def _speed(name: str) -> list[str]:
    """Options for the speed-up called `name`, which the job for the time of a LoRA does without."""
    if name not in SPEEDS:
        return []
    return ["--set", f"defaults.speed.{SPEEDS[name]}", "--set", f"jobs.{SWITCH}.speed=null", "--only", CLIPS]


def load_seconds(cache: Path) -> float | None:
    """What the run itself has noted of its last load: the imports before it are not in it."""
    try:
        lines = [json.loads(line) for line in (cache / "throughput.jsonl").read_text().splitlines()]
    except OSError:
        return None
    loads = [float(line["seconds"]) for line in lines if line.keys() == LOADED]
    return loads[-1] if loads else None


def _subject(name: str) -> dict[str, str]:
    return {"image": str(ROOT / f"manifests/faces/{name}.png"), "kind": "subject"}
