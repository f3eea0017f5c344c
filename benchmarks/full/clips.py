"""The manifest of the full-size run, and the run: the real command line, its events kept beside its output.

A run that is cut by `--minutes` is gone on with by the same step; each call of it leaves a file of its own.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from benchmarks.calls import python, standin, standin_run
from benchmarks.common import ROOT, commit, machine, versions
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
        BenchmarkError: if the run fails.
    """
    here = folder / RUNS / arguments.name
    here.mkdir(parents=True, exist_ok=True)
    files = sorted(path for path in (folder / "checkpoints").rglob("*") if path.is_file())
    reading = None if arguments.skip_reading else read(files)
    rate = float(python(RATE, row.defaults["dtype"], workplace=folder).output)
    further = [*_speed(arguments.name), *arguments.options]
    options = [*_options(folder, arguments), *further]
    call = standin_run(
        folder / MANIFEST,
        *options,
        folder=here / "output",
        cache=folder / CACHE,
        workplace=folder,
        accepted=(ExitCode.OK, ExitCode.STOPPED),
    )
    kept = {
        "options": options,
        "further": further,
        "process": {**asdict(call.process), "output": ""},
        "events": call.events,
        "matmul_flop_per_second": rate,
        "reading": reading,
        "load_seconds": load_seconds(folder / CACHE),
        **{"machine": machine(), "versions": versions(), "commit": commit()},
    }
    path = here / f"call-{len(list(here.glob('call-*.json')))}.json"
    path.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    (here / FAILED).unlink(missing_ok=True)
    return path


def read(files: Sequence[Path]) -> dict[str, Any]:
    """Read files plainly, twice: the second time, as the run after it, from memory if that is large enough."""
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


def _read(files: Iterable[Path]) -> None:
    buffer = bytearray(CHUNK)
    for path in files:
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass


def _options(folder: Path, arguments: argparse.Namespace) -> list[str]:
    options = ["--checkpoints", str(folder / "checkpoints"), "--device", arguments.device]
    return options if arguments.minutes is None else [*options, "--max-time", f"{arguments.minutes}min"]


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
