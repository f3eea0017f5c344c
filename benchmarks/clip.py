"""How long does a clip take, phase by phase, and how much GPU memory does each phase need?

Without the command line around it: one identity, one prompt, one clip a seed on one loaded model. The first clip
computes what the others share. Of the tiny model it takes one to three minutes on two cores.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import yaml

from benchmarks.common import ROOT, Report, Row, guarded, parser, publish, size
from benchmarks.timing import default_device, matmul_rate, usual_model
from standin_batch.plan.work import forward as work_of
from standin_batch.plan.work import tokens
from standin_batch.weights.locate import ModelFiles, is_made_here, locate, root_of
from standin_batch.weights.registry import ROWS

if TYPE_CHECKING:
    from standin_batch.engine.engine import Engine
    from standin_batch.job import Job
    from standin_batch.run.subjects import Subjects

FLOOR_BAR = 0.8
SHARE_BAR = 0.05


@dataclass
class Measured:
    """One clip.

    Attributes:
        seconds: by phase.
        steps: seconds of each step but the first.
        peaks: bytes of GPU memory at the highest, by phase; empty without a GPU.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    steps: list[float] = field(default_factory=list)
    peaks: dict[str, int] = field(default_factory=dict)


def main() -> None:
    """Measure, and say what came out."""
    made = parser("benchmarks.clip", __doc__)
    made.add_argument("--model", choices=ROWS, help="row of the table of models; 14B on a GPU, else tiny, unless said")
    made.add_argument("--checkpoints", type=Path, help="as of `standin run`")
    made.add_argument("--size", type=size, metavar="WxH", help="of the video; the model's own unless said")
    made.add_argument("--frames", type=int, help="of the video; the model's own unless said")
    made.add_argument("--steps", type=int, help="of denoising; the model's own unless said")
    made.add_argument("--clips", type=int, default=3, help="one a seed")
    arguments = made.parse_args()
    device = default_device()
    arguments.model = arguments.model or usual_model(device)
    with tempfile.TemporaryDirectory(prefix="standin-bench-") as folder:
        publish(measure(arguments, device, Path(folder)), arguments.json)


def measure(arguments: argparse.Namespace, device: str, folder: Path) -> Report:
    """Load the model, make the clips, and compare a step with its floor."""
    import torch

    jobs, files = _jobs(arguments, folder), _files(arguments, folder)
    job = jobs[0]
    rate = matmul_rate(device, getattr(torch, job.dtype))
    from standin_batch.engine.engine import Engine
    from standin_batch.run.subjects import Subjects

    start = time.perf_counter()
    engine = Engine.load(job.model, job.dtype, files, device)
    loading = time.perf_counter() - start
    subjects = Subjects(folder / "subjects", files.faces, device)
    clips = [_clip(engine, job, subjects) for job in jobs]
    settings = {"model": job.model, "size": f"{job.width}x{job.height}x{job.num_frames}", "dtype": job.dtype}
    settings |= {"steps": str(job.num_inference_steps), "clips": str(len(clips)), "device": device}
    rows = [Row("loading", loading, "s", note="imports left out"), *_step_rows(job, clips, rate), *_clip_rows(clips)]
    return Report("One clip on a loaded model", rows, settings, {"clips": [clip.__dict__ for clip in clips]})


def _clip(engine: Engine, job: Job, subjects: Subjects) -> Measured:
    """Make one clip, with a clock that keeps the memory of each phase."""
    from standin_batch.engine.engine import Denoised

    measured = Measured()
    clock = _clock(engine.device, measured)
    work = engine.begin(job, subjects, clock)
    last: list[float] = []
    for expert in engine.experts:
        engine.denoise(work, expert, lambda _step, _steps: last.append(_now(engine.device)))
    clip = engine.decode(Denoised.of(work))
    measured.seconds = dict(clip.seconds)
    measured.steps = [after - before for before, after in pairwise(last)]
    return measured


def _now(device: str) -> float:
    """The time when all that was asked of the device is done."""
    import torch

    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter()


def _clock(device: str, measured: Measured) -> Any:  # noqa: ANN401
    import torch

    from standin_batch.engine.clock import Clock

    class PhaseClock(Clock):
        """A clock that also keeps the memory of each phase."""

        @contextmanager
        def phase(self, name: str) -> Iterator[None]:
            """As `Clock.phase`."""
            with super().phase(name):
                yield
            if device.startswith("cuda"):
                peak = torch.cuda.max_memory_allocated()
                measured.peaks[name] = max(measured.peaks.get(name, 0), peak)

    return PhaseClock(device)


def _step_rows(job: Job, clips: list[Measured], rate: float) -> list[Row]:
    steps = [taken for clip in clips for taken in clip.steps]
    work = work_of(ROWS[job.model].sizes, tokens(job), identity=True).total
    guided = 2 if job.cfg_scale[0] != 1.0 else 1
    step, floor = median(steps) if steps else None, guided * work / rate
    return [
        Row("a step", step, "s", note=f"{guided} passes; median of all but each clip's first"),
        Row("  the floor", floor, "s", note=f"at {rate / 1e12:.4g} TFLOP/s of a matrix product"),
        Row("floor / step", floor / step if step else None, least=FLOOR_BAR),
    ]


def _clip_rows(clips: list[Measured]) -> list[Row]:
    first, *others = clips
    totals = [sum(clip.seconds.values()) for clip in others or clips]
    shares = [1 - clip.seconds["denoise"] / sum(clip.seconds.values()) for clip in others or clips]
    rows = [
        Row("the first clip", sum(first.seconds.values()), "s"),
        Row("each further clip", median(totals), "s", note="median" if others else "the same: --clips 1"),
        Row("share of it that is not denoising", median(shares), most=SHARE_BAR),
    ]
    for phase in first.seconds:
        taken = [clip.seconds.get(phase, 0.0) for clip in others or clips]
        rows.append(Row(f"  {phase}", median(taken), "s", note=f"{first.seconds[phase]:.3g} s in the first clip"))
    peaks = {phase: max(clip.peaks[phase] for clip in clips if phase in clip.peaks) for phase in first.peaks}
    rows += [Row(f"  peak memory, {phase}", peak / 1e9, "GB") for phase, peak in peaks.items()]
    return rows if peaks else [*rows, Row("  peak memory", note="needs a GPU")]


def _files(arguments: argparse.Namespace, folder: Path) -> ModelFiles:
    row = ROWS[arguments.model]
    if not is_made_here(row, arguments.checkpoints):
        return locate(row, arguments.checkpoints)
    from standin_batch.weights.tiny import ensure_tiny

    root = folder / root_of(row, None)
    ensure_tiny(root)
    return locate(row, root)


def _jobs(arguments: argparse.Namespace, folder: Path) -> list[Job]:
    """By the way of every manifest, so that they are what a user's jobs would be."""
    from standin_batch.run.plan_manifest import Selection, plan_manifest

    defaults: dict[str, Any] = {"mode": "t2v"}
    if arguments.size:
        defaults["width"], defaults["height"] = map(int, arguments.size.split("x"))
    said = {"num_frames": arguments.frames, "num_inference_steps": arguments.steps}
    manifest = {
        **{"version": 1, "name": "clip", "model": arguments.model},
        "defaults": {**defaults, **{key: value for key, value in said.items() if value}},
        "identities": {"cat": {"image": str(ROOT / "manifests/faces/chelsea.png"), "kind": "subject"}},
        "output": {"folder": str(folder / "output")},
        "jobs": [{"identity": "cat", "prompt": "A cat looks up.", "matrix": {"seed": list(range(arguments.clips))}}],
    }
    path = folder / "clip.yaml"
    path.write_text(yaml.safe_dump(manifest))
    planned = plan_manifest(path, Selection(checkpoints=arguments.checkpoints))
    return [item.job for item in planned.plan.to_run]


if __name__ == "__main__":
    guarded(main)
