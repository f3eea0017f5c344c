"""What does a job cost outside of the engine? Many of the shortest jobs in one run, with scores and without.

The overhead of a job is what is left of the run's time when its start-up and the engine's own time are taken off, over
the number of jobs. Then the same command again, which has nothing to do. On two cores it takes one to three minutes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import yaml

from benchmarks.calls import Call, standin_run
from benchmarks.common import ROOT, Report, Row, guarded, multiple_of, parser, publish, size

PER_PROMPT = 10
"""Seeds of each prompt."""


def main() -> None:
    """Measure, and say what came out."""
    made = parser("benchmarks.runner", __doc__)
    made.add_argument("--jobs", type=multiple_of(PER_PROMPT), default=100, help=f"a multiple of {PER_PROMPT}")
    made.add_argument("--size", type=size, default="32x32", metavar="WxH", help="of the videos")
    made.add_argument("--frames", type=int, default=5, help="of each video")
    made.add_argument("--device", default="auto", help="as of `standin run`")
    arguments = made.parse_args()
    with tempfile.TemporaryDirectory(prefix="standin-bench-") as folder:
        publish(measure(arguments, Path(folder)), arguments.json)


def measure(arguments: argparse.Namespace, folder: Path) -> Report:
    """Both runs and what follows, in `folder`."""
    _run(arguments, folder, "warm-up", PER_PROMPT, scores=False)
    rows: list[Row] = []
    for scores, name in ((False, "without scores"), (True, "with scores")):
        first = _run(arguments, folder, name.replace(" ", "-"), arguments.jobs, scores=scores)
        again = _run(arguments, folder, name.replace(" ", "-"), arguments.jobs, scores=scores)
        rows += _rows(name, first, again, arguments.jobs)
    settings = {"jobs": arguments.jobs, "size": arguments.size, "frames": arguments.frames, "steps": 1}
    return Report("What a job costs outside of the engine", rows, settings)


def _rows(name: str, call: Call, again: Call, jobs: int) -> list[Row]:
    start, engine = call.to_first_job or 0.0, call.engine_seconds()
    overhead = (call.seconds - start - engine) / jobs
    return [
        Row(f"{name}: a job outside of the engine", 1000 * overhead, "ms", note="the end of the run included"),
        Row("  a job inside of it", 1000 * engine / jobs, "ms", note="one step, the least size"),
        Row("  outside / inside", overhead / (engine / jobs)),
        Row("  after the last job", call.after_last_job, "s", note="index, gallery, summary"),
        Row("  the run again, with nothing to do", again.seconds, "s", note="the whole process"),
    ]


def _run(arguments: argparse.Namespace, folder: Path, name: str, jobs: int, *, scores: bool) -> Call:
    width, height = arguments.size.split("x")
    prompts = {f"prompt-{number}": f"A cat looks at number {number}." for number in range(max(1, jobs // PER_PROMPT))}
    manifest = {
        "version": 1,
        "name": name,
        "model": "tiny",
        "defaults": {
            **{"width": int(width), "height": int(height), "num_frames": arguments.frames},
            **{"num_inference_steps": 1, "mode": "t2v"},
        },
        "identities": {"cat": {"image": str(ROOT / "manifests/faces/chelsea.png"), "kind": "subject"}},
        "prompts": prompts,
        "scores": {"enabled": scores},
        "jobs": [
            {"name": "short", "identity": "cat", "matrix": {"prompt": list(prompts), "seed": f"0..{PER_PROMPT - 1}"}}
        ],
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(manifest))
    options = ("--device", arguments.device)
    return standin_run(path, *options, folder=folder / "outputs" / name, cache=folder / "cache", workplace=folder)


if __name__ == "__main__":
    guarded(main)
