"""How long does planning take, and how much memory? Manifests of a thousand jobs to a hundred thousand.

Each figure is of a fresh process with an empty user cache: the command itself, and the parts of the same way. There are
two identities, two sets of LoRAs, and ten seeds of each prompt of a file. On two cores it takes one to three minutes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.batch_jobs import IDENTITIES, LORA_SETS, LORAS
from benchmarks.calls import Finished, python, standin
from benchmarks.common import BenchmarkError, Report, Row, guarded, multiple_of, parser, publish

JOBS = (1_000, 10_000, 100_000)
SEEDS = 10
PER_PROMPT = len(IDENTITIES) * len(LORA_SETS) * SEEDS

PARTS = """
import json, sys, time
from pathlib import Path
from standin_batch.cli.plan_drawn import drawn
from standin_batch.cli.plan_json import plan_json
from standin_batch.manifest import load_manifest
from standin_batch.run.plan_manifest import Selection, plan_manifest

def seconds(do):
    start = time.perf_counter()
    result = do()
    return time.perf_counter() - start, result

path = Path(sys.argv[1])
reading, _ = seconds(lambda: load_manifest(path))
planning, planned = seconds(lambda: plan_manifest(path, Selection()))
drawing, _ = seconds(lambda: list(drawn(planned)))
print(json.dumps({"reading": reading, "planning": planning, "drawing": drawing, "jobs": len(planned.plan.to_run)}))
"""


@dataclass(frozen=True)
class Planned:
    """One manifest: the command, and its parts in seconds."""

    jobs: int
    shown: Finished
    parts: Mapping[str, float]

    @property
    def a_job(self) -> float:
        """Seconds of planning."""
        return self.parts["planning"] / self.jobs


def main() -> None:
    """Measure, and say what came out."""
    made = parser("benchmarks.plan", __doc__)
    made.add_argument(
        "--jobs",
        type=multiple_of(PER_PROMPT),
        nargs="+",
        default=JOBS,
        help=f"numbers of jobs, multiples of {PER_PROMPT}",
    )
    arguments = made.parse_args()
    with tempfile.TemporaryDirectory(prefix="standin-bench-") as folder:
        publish(measure(arguments, Path(folder)), arguments.json)


def measure(arguments: argparse.Namespace, folder: Path) -> Report:
    """Each number of jobs, in `folder`."""
    rows = [Row("standin --version", standin("--version", cache=folder, workplace=folder).seconds, "s")]
    least = None
    for jobs in arguments.jobs:
        planned = _planned(jobs, folder)
        least = least or planned.a_job
        rows += _rows(planned, least)
    return Report("From a manifest to a plan", rows, {"identities": 2, "LoRA sets": 2, "seeds": SEEDS})


def _planned(jobs: int, folder: Path) -> Planned:
    manifest = _manifest(jobs, folder)
    shown = standin("plan", str(manifest), cache=folder / f"shown-{jobs}", workplace=folder)
    parts = json.loads(python(PARTS, str(manifest), workplace=folder).output)
    if parts["jobs"] != jobs:
        raise BenchmarkError(f"{parts['jobs']} jobs were planned in place of {jobs}")
    return Planned(jobs, shown, parts)


def _rows(planned: Planned, least: float) -> list[Row]:
    parts = planned.parts
    return [
        Row(f"{planned.jobs:,} jobs: standin plan", planned.shown.seconds, "s", note="the whole process"),
        Row("  memory at the highest", planned.shown.memory / 1e6, "MB"),
        Row("  reading the manifest", parts["reading"], "s"),
        Row(
            "  the way to a plan, reading included", parts["planning"], "s", note="expansion, ids, what is known, order"
        ),
        Row("  estimate and tables", parts["drawing"], "s"),
        Row("  a job", 1e6 * planned.a_job, "us"),
        Row("  a job / a job of the fewest", planned.a_job / least),
    ]


def _manifest(jobs: int, folder: Path) -> Path:
    lines = folder / f"prompts-{jobs}.txt"
    lines.write_text("".join(f"A person walks past house number {number}.\n" for number in range(jobs // PER_PROMPT)))
    manifest = {
        "version": 1,
        "name": f"jobs-{jobs}",
        "model": "tiny",
        "identities": IDENTITIES,
        "loras": LORAS,
        "prompts": {"houses": {"file": str(lines)}},
        "jobs": [
            {
                "mode": "t2v",
                "matrix": {
                    **{"identity": list(IDENTITIES), "loras": list(LORA_SETS)},
                    **{"prompt": ["houses"], "seed": f"0..{SEEDS - 1}"},
                },
            }
        ],
    }
    path = folder / f"jobs-{jobs}.yaml"
    path.write_text(yaml.safe_dump(manifest))
    return path


if __name__ == "__main__":
    guarded(main)
