"""Is a batch worth it? N jobs in one run, against N single processes of the same jobs, in one call.

Every process starts with an empty user cache of its own and the same weights, made before; one run before the first
measurement has the files in the system's memory for all alike. The engine's own time is what the records say of their
jobs. The bare import and the plain reading are measured in fresh processes, right before and behind the batch; half of
the single processes run before it, half behind: what slows the machine for a while slows them alike.

On two cores it takes about five minutes.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median
from typing import Any

from benchmarks.batch_jobs import IDENTITIES, PROMPTS, Place, combinations
from benchmarks.calls import Call, python
from benchmarks.common import BenchmarkError, Report, Row, guarded, parser, publish, size
from benchmarks.reference import reference_seconds
from standin_batch.weights.locate import is_made_here, locate, root_of
from standin_batch.weights.registry import ROWS, row

ALL = 24
"""Combinations: with fewer jobs, most of the time is start-up, and the bars mean nothing."""

ENGINE_BAR = 1.05
SINGLES_BAR = 0.15
START_BAR = 1.2

LIBRARIES = "import torch, transformers, diffsynth.pipelines.wan_video, cv2, onnxruntime, insightface, facexlib.parsing"
"""What a run with a face imports before its first step, and nothing else."""

READ = """
import pathlib, sys, time
start = time.perf_counter()
for name in sys.argv[1:]:
    with pathlib.Path(name).open("rb") as file:
        while file.read(1 << 24):
            pass
print(time.perf_counter() - start)
"""


@dataclass(frozen=True)
class Round:
    """A batch, and what its start is compared with: seconds, the mean of right before and right behind it."""

    batch: Call
    importing: float
    reading: float

    @property
    def start(self) -> float | None:
        """To the first step, over what nobody can do without."""
        first = self.batch.to_first_step
        return None if first is None else first / (self.importing + self.reading)


def main() -> None:
    """Measure, and say what came out."""
    arguments = _parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="standin-bench-") as folder:
        publish(measure(arguments, Path(folder)), arguments.json)


def _parser() -> argparse.ArgumentParser:
    made = parser("benchmarks.batch", __doc__)
    made.add_argument(
        "--jobs",
        type=int,
        choices=range(1, ALL + 1),
        metavar="N",
        default=ALL,
        help=f"how many of the {ALL} combinations; bars are for all",
    )
    made.add_argument("--size", type=size, default="160x96", metavar="WxH", help="of the videos")
    made.add_argument("--frames", type=int, default=9, help="of each video")
    made.add_argument("--steps", type=int, default=4, help="of denoising")
    made.add_argument("--model", choices=ROWS, default="tiny", help="row of the table of models")
    made.add_argument("--checkpoints", type=Path, help="as of `standin run`")
    made.add_argument("--device", default="auto", help="as of `standin run`")
    made.add_argument(
        "--repeats", type=int, default=1, help="of the batch, its start and the imports; the median counts"
    )
    made.add_argument("--no-scores", action="store_true", help="do not score the clips")
    made.add_argument("--skip-singles", action="store_true", help="measure only the batch")
    made.add_argument("--reference", type=Path, metavar="DIR", help="a checkout of Stand-In with its weights")
    return made


def measure(arguments: argparse.Namespace, folder: Path) -> Report:
    """The whole comparison, in `folder`."""
    jobs = list(combinations())[: arguments.jobs]
    place = Place.of(arguments, folder)
    place.run("warm-up", jobs[:1])
    alone = [] if arguments.skip_singles else list(enumerate(jobs))
    half = len(alone) // 2
    singles = [place.run(f"single-{number}", [job]) for number, job in alone[:half]]
    rounds = [_round(place, number, jobs, _weights(arguments, folder)) for number in range(arguments.repeats)]
    singles += [place.run(f"single-{number}", [job]) for number, job in alone[half:]]
    batches = [each.batch for each in rounds]
    rows = [*batch_rows(batches), *_start_rows(rounds), *_single_rows(batches, singles)]
    rows += _reference_rows(arguments, jobs, batches[0])
    settings = {"jobs": len(jobs), "size": arguments.size, "frames": arguments.frames, "steps": arguments.steps}
    settings |= {"model": arguments.model, "scores": not arguments.no_scores, "repeats": arguments.repeats}
    details = {"phases": batches[0].phases(), "singles": [call.seconds for call in singles]}
    rows = rows if len(jobs) == ALL else [replace(each, most=None) for each in rows]
    return Report(f"{len(jobs)} jobs in one run, against {len(singles)} single processes", rows, settings, details)


def batch_rows(batches: Sequence[Call]) -> list[Row]:
    """The batch, and the parts that it is the sum of; the median of each."""
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
        Row(
            "  other",
            _median(map(_other, batches)),
            "s",
            note="between and beside the jobs; below 0 where parts overlap",
        ),
        Row("(batch - start-up) / engine", median(shares), most=ENGINE_BAR),
    ]


def _other(call: Call) -> float:
    """What is in none of the parts."""
    told = (call.to_first_job, call.engine_seconds(), call.after_last_job, call.leaving)
    return call.seconds - sum(part or 0.0 for part in told)


def _round(place: Place, number: int, jobs: Sequence[dict[str, Any]], weights: Sequence[Path]) -> Round:
    files = [str(path.resolve()) for path in weights]

    def least() -> tuple[float, float]:
        reading = float(python(READ, *files, workplace=place.folder).output)
        return python(LIBRARIES, workplace=place.folder).seconds, reading

    before = least()
    batch = place.run(f"batch-{number}", jobs)
    imports, readings = zip(before, least(), strict=True)
    return Round(batch, fmean(imports), fmean(readings))


def _start_rows(rounds: Sequence[Round]) -> list[Row]:
    first = _median(each.batch.to_first_step for each in rounds)
    return [
        Row("to the first step", first, "s", note="its beginning: the end of the first, less the length of the second"),
        Row(
            "  bare import of the libraries", median(each.importing for each in rounds), "s", note="in a fresh process"
        ),
        Row("  reading the weights' files", median(each.reading for each in rounds), "s", note="plainly"),
        Row(
            "to the first step / (import + reading)",
            _median(each.start for each in rounds),
            most=START_BAR,
            note="needs two steps of a job",
        ),
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
    cpu = median(call.process.cpu for call in batches) / sum(call.process.cpu for call in singles)
    return [
        Row("one single process", median(walls), "s", note=f"median of {len(walls)}"),
        Row("the sum of the single processes", sum(walls), "s"),
        Row(together, median(call.seconds for call in batches) / sum(walls), most=SINGLES_BAR),
        Row("  the same in the processors' seconds", cpu, note="less swayed by what else the machine does"),
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
    guarded(main)
