"""Is a batch worth it? N jobs in one run, against N single processes of the same jobs, in one call.

Every process starts with an empty user cache of its own and the same weights, made before; one run before the first
measurement has the files in the system's memory for all alike. The engine's own time is what the records say of their
jobs. The bare import and the plain reading are measured in fresh processes here, too.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from benchmarks.calls import Call, python, standin_run
from benchmarks.common import ROOT, BenchmarkError, Report, Row, parser, publish
from benchmarks.reference import reference_seconds
from standin_batch.weights.locate import is_made_here, locate, root_of
from standin_batch.weights.registry import row

ENGINE_BAR = 1.05
SINGLES_BAR = 0.15
START_BAR = 1.2

LIBRARIES = "import torch, transformers, diffsynth.pipelines.wan_video, cv2, onnxruntime, insightface, facexlib.parsing"
"""What a run with a face imports before its first step, and nothing else."""

READ = """
import pathlib, sys
for name in sys.argv[1:]:
    with pathlib.Path(name).open("rb") as file:
        while file.read(1 << 24):
            pass
"""

IDENTITIES: dict[str, Any] = {
    "astronaut": str(ROOT / "manifests/faces/astronaut.png"),
    "cat": {"image": str(ROOT / "manifests/faces/chelsea.png"), "kind": "subject"},
}
PROMPTS = {
    "desk": "A person sits comfortably at a desk, facing the camera as if talking to a friend.",
    "wave": "一个人举起双手，对着镜头微笑。",
    "hills": "A person walks through green hills.",
}
LORAS = {"style": str(ROOT / "manifests/loras/style.safetensors")}
LORA_SETS: tuple[list[str], ...] = ([], ["style"])
SEEDS = (0, 1)


@dataclass(frozen=True)
class Place:
    """Where everything of one call lies, and what all its runs share."""

    folder: Path
    options: tuple[str, ...]
    base: dict[str, Any]

    def manifest(self, name: str, jobs: Sequence[dict[str, Any]]) -> Path:
        """Write a manifest of these jobs."""
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump({**self.base, "name": name, "jobs": list(jobs)}, allow_unicode=True))
        return path

    def run(self, name: str, jobs: Sequence[dict[str, Any]]) -> Call:
        """Run these jobs in a process of its own, with an empty cache of its own."""
        cache, output = self.folder / "caches" / name, self.folder / "outputs" / name
        manifest = self.manifest(name, jobs)
        return standin_run(manifest, *self.options, folder=output, cache=cache, workplace=self.folder)


def main() -> None:
    """Measure, and say what came out."""
    arguments = _parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="standin-bench-") as folder:
        publish(measure(arguments, Path(folder)), arguments.json)


def _parser() -> argparse.ArgumentParser:
    made = parser("benchmarks.batch", __doc__)
    made.add_argument("--jobs", type=int, default=24, help="how many of the 24 combinations")
    made.add_argument("--size", default="160x96", metavar="WxH", help="of the videos")
    made.add_argument("--frames", type=int, default=9, help="of each video")
    made.add_argument("--steps", type=int, default=4, help="of denoising")
    made.add_argument("--model", default="tiny", help="row of the table of models")
    made.add_argument("--checkpoints", type=Path, help="as of `standin run`")
    made.add_argument("--device", default="auto", help="as of `standin run`")
    made.add_argument(
        "--repeats", type=int, default=1, help="of the batch, its start and the imports; the median counts"
    )
    made.add_argument("--no-scores", action="store_true", help="do not score the clips")
    made.add_argument("--skip-singles", action="store_true", help="measure only the batch")
    made.add_argument("--reference", type=Path, metavar="DIR", help="a checkout of Stand-In with its weights")
    return made


def combinations() -> Iterator[dict[str, Any]]:
    """The 24 jobs, each by itself: 2 identities x 3 prompts x 2 sets of LoRAs x 2 seeds."""
    for identity, prompt, loras, seed in product(IDENTITIES, PROMPTS, LORA_SETS, SEEDS):
        yield {"identity": identity, "prompt": prompt, "loras": loras, "seed": seed, "mode": "t2v"}


def measure(arguments: argparse.Namespace, folder: Path) -> Report:
    """The whole comparison, in `folder`."""
    jobs = list(combinations())[: arguments.jobs]
    place = _place(arguments, folder)
    place.run("warm-up", jobs[:1])
    batches = [place.run(f"batch-{number}", jobs) for number in range(arguments.repeats)]
    singles = [] if arguments.skip_singles else [place.run(f"single-{n}", [job]) for n, job in enumerate(jobs)]
    rows = [*_batch_rows(batches), *_start_rows(arguments, batches, folder), *_single_rows(batches, singles)]
    rows += _reference_rows(arguments, jobs, batches[0])
    settings = {"jobs": len(jobs), "size": arguments.size, "frames": arguments.frames, "steps": arguments.steps}
    settings |= {"model": arguments.model, "scores": not arguments.no_scores, "repeats": arguments.repeats}
    details = {"phases": batches[0].phases(), "singles": [call.seconds for call in singles]}
    return Report(f"{len(jobs)} jobs in one run, against {len(singles)} single processes", rows, settings, details)


def _place(arguments: argparse.Namespace, folder: Path) -> Place:
    width, height = arguments.size.split("x")
    sizes = {"width": int(width), "height": int(height), "num_frames": arguments.frames}
    base = {
        "version": 1,
        "model": arguments.model,
        "defaults": {**sizes, "num_inference_steps": arguments.steps, "fps": 8},
        "identities": IDENTITIES,
        "loras": LORAS,
        "prompts": PROMPTS,
        "scores": {"enabled": not arguments.no_scores},
    }
    options = ["--device", arguments.device]
    if arguments.checkpoints is not None:
        options += ["--checkpoints", str(arguments.checkpoints.resolve())]
    return Place(folder, tuple(options), base)


def _batch_rows(batches: Sequence[Call]) -> list[Row]:
    walls = [call.seconds for call in batches]
    engines = [call.engine_seconds() for call in batches]
    starts = [call.to_first_job or 0.0 for call in batches]
    shares = [(wall - start) / engine for wall, start, engine in zip(walls, starts, engines, strict=True)]
    return [
        Row("the batch", median(walls), "s", note="from the start of the process to its end"),
        Row("  start-up, to the first job", median(starts), "s", note="imports, plan, preflight, weights, prompts"),
        Row("  the engine's own time", median(engines), "s", note="summed over the records, all phases"),
        Row("  after the last job", _median(call.after_last_job for call in batches), "s", note="index and gallery"),
        Row(
            "  leaving", _median(call.leaving for call in batches), "s", note="from the end of the run to the process's"
        ),
        Row("(batch - start-up) / engine", median(shares), most=ENGINE_BAR),
    ]


def _start_rows(arguments: argparse.Namespace, batches: Sequence[Call], folder: Path) -> list[Row]:
    bare = median(python(LIBRARIES, workplace=folder).seconds for _ in range(max(3, arguments.repeats)))
    files = [str(path.resolve()) for path in _weights(arguments, folder)]
    reading = median(python(READ, *files, workplace=folder).seconds for _ in range(max(3, arguments.repeats)))
    empty = median(python("", workplace=folder).seconds for _ in range(3))
    least = bare + reading - empty
    first = _median(call.to_first_step for call in batches)
    share = None if first is None else first / least
    note = "the beginning of the first step; see calls.py for how it is told"
    return [
        Row("to the first step", first, "s", note=note),
        Row("  bare import of the libraries", bare, "s", note="in a fresh process"),
        Row("  reading the weights' files", reading - empty, "s", note=f"{len(files)} files, plainly"),
        Row("to the first step / (import + reading)", share, most=START_BAR, note="needs two steps of a job"),
    ]


def _weights(arguments: argparse.Namespace, folder: Path) -> list[Path]:
    model = row(arguments.model)
    if is_made_here(model, arguments.checkpoints):
        files = locate(model, folder / root_of(model, None))
    else:
        files = locate(model, arguments.checkpoints)
    return [*files.base(), *files.adapters(), *files.face_models(), *files.embedders()]


def _single_rows(batches: Sequence[Call], singles: Sequence[Call]) -> list[Row]:
    together = "the batch / the sum of the single processes"
    if not singles:
        return [Row(together, most=SINGLES_BAR, note="--skip-singles")]
    walls = [call.seconds for call in singles]
    return [
        Row("one single process", median(walls), "s", note=f"median of {len(walls)}"),
        Row("the sum of the single processes", sum(walls), "s"),
        Row(together, median(call.seconds for call in batches) / sum(walls), most=SINGLES_BAR),
    ]


def _reference_rows(arguments: argparse.Namespace, jobs: Sequence[dict[str, Any]], batch: Call) -> list[Row]:
    what = "the batch / single processes of the reference"
    if arguments.reference is None:
        return [Row(what, note="no --reference DIR")]
    plain = [job for job in jobs if not job["loras"] and job["identity"] == "astronaut"]
    try:
        seconds = reference_seconds(arguments, plain, IDENTITIES, PROMPTS)
    except BenchmarkError as error:
        return [Row(what, note=error.message.splitlines()[-1])]
    return [
        Row("one process of the reference", median(seconds), "s", note=f"median of {len(seconds)}"),
        Row(what, batch.seconds / (median(seconds) * len(jobs)), note="as if each job took it the median"),
    ]


def _median(values: Iterator[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return median(found) if found else None


if __name__ == "__main__":
    try:
        main()
    except BenchmarkError as error:
        sys.exit(f"error: {error.message}")
