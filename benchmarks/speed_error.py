"""What do the options of `speed:` cost in exactness? Each clip against the same one made exactly, in one process.

The tiny model has random weights: what comes out for it says that an option computes, not how its clips look. With
`--model wan2.1-t2v-14b --device cuda` it is the same for real weights. Each clip is made twice: the first has kernels
compiled and chosen, the second counts, and both have to have the same bits. The tiny model takes less than a minute on
two cores.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from benchmarks.common import BenchmarkError, Report, Row, guarded, parser, publish
from standin_batch.errors import StandinError
from standin_batch.job import Job, Subject
from standin_batch.run.speed_ready import is_installed, speed_faults
from standin_batch.speed import Speed
from standin_batch.weights.locate import locate, root_of
from standin_batch.weights.registry import ROWS, ModelRow

if TYPE_CHECKING:
    import torch

    from standin_batch.engine.engine import Clip, Engine
    from standin_batch.face.models import FaceModels

OPTIONS = (
    Speed(cache=0.1),
    Speed(cache=0.2),
    Speed(cache=0.4),
    Speed(fp8=True),
    Speed(attention="sage"),
    Speed(compile=True),
)
SIDE = 512


@dataclass(frozen=True)
class Gradient:
    """Shows one picture for every identity: colours that run from edge to edge."""

    def image(self, job: Job) -> Image.Image:
        """512 x 512, RGB."""
        ramp = np.linspace(0, 255, SIDE, dtype=np.uint8)
        across, down = np.meshgrid(ramp, ramp)
        return Image.fromarray(np.stack([across, down, 255 - across], axis=-1))

    def face_models(self) -> FaceModels:
        """Not asked for."""
        raise AssertionError("nobody looks for faces here")


def main() -> None:
    """Measure, and say what came out."""
    made = parser("benchmarks.speed_error", __doc__)
    made.add_argument("--model", choices=ROWS, default="tiny")
    made.add_argument("--checkpoints", type=Path, metavar="DIR", help="the weights, where they are elsewhere")
    made.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    made.add_argument("--dtype", choices=("bfloat16", "float32"), default="bfloat16")
    made.add_argument("--steps", type=int, help="denoising steps; the model's own unless said")
    arguments = made.parse_args()
    publish(measure(arguments), arguments.json)


def measure(arguments: argparse.Namespace) -> Report:
    """Each option against the exact clip."""
    import torch

    from standin_batch.engine.engine import Engine
    from standin_batch.weights.tiny import ensure_tiny

    row = ROWS[arguments.model]
    if row.generator is not None and arguments.checkpoints is None:
        ensure_tiny(root_of(row, None))
    engine = Engine.load(row.name, arguments.dtype, locate(row, arguments.checkpoints), arguments.device)
    job = job_of(row, arguments)
    with torch.no_grad():
        exact = _clip(engine, job)
        rows = [each for speed in OPTIONS for each in rows_of(engine, replace(job, speed=speed), exact)]
    rows.append(Row("turbo", note="other steps and weights make another clip; there is no exact one to compare with"))
    size = f"{job.width}x{job.height}x{job.num_frames}"
    settings = {"model": row.name, "device": engine.device, "dtype": job.dtype, "size": size}
    return Report("Options of speed against exact", rows, {**settings, "steps": job.num_inference_steps})


def job_of(row: ModelRow, arguments: argparse.Namespace) -> Job:
    """The clip that is made, exactly."""
    said = row.defaults
    scale = said["cfg_scale"]
    return Job(
        name="error",
        prompt_name="desk",
        model=row.name,
        mode="t2v",
        subject=Subject("gradient", Path("gradient"), "subject", "error", "gradient"),
        prompt="A man sits comfortably at a desk, facing the camera as if talking to a friend.",
        cfg_scale=scale if isinstance(scale, tuple) else (scale,),
        num_inference_steps=arguments.steps or said["num_inference_steps"],
        dtype=arguments.dtype,
        boundary=row.boundary,
        **{key: said[key] for key in ("negative_prompt", "seed", "width", "height", "num_frames", "fps")},
        **{key: said[key] for key in ("sigma_shift", "vae_tiled")},
    )


def rows_of(engine: Engine, job: Job, exact: Clip) -> list[Row]:
    """What came out for one option; why nothing did, if it cannot be made or fails: others are made all the same."""
    if why := _lacks(engine, job):
        return [Row(str(job.speed), note=why)]
    try:
        return list(_compared(engine, job, exact, _clip(engine, job)))
    except Exception as error:  # compilers and kernels raise what they like
        told = error.message if isinstance(error, StandinError) else f"{type(error).__name__}: {error}"
        return [Row(str(job.speed), note=f"failed: {told.strip().splitlines()[0]}")]


def _compared(engine: Engine, job: Job, exact: Clip, found: Clip) -> Iterator[Row]:
    import torch

    what = f"{job.speed}: latents, relative error"
    if torch.equal(found.latents, exact.latents):
        yield Row(what, 0.0, note="the same bits")
    else:
        yield Row(what, _relative(found.latents, exact.latents))
        yield Row("  frames, PSNR", _psnr(found.frames, exact.frames), "dB")
    if engine.device != "cpu":  # a CPU's times say nothing of these
        yield Row("  denoising", found.seconds["denoise"], "s")
        yield Row("  denoising, of exact", found.seconds["denoise"] / exact.seconds["denoise"])


def _lacks(engine: Engine, job: Job) -> str:
    """Why an option does not run here; empty where it does."""
    if engine.dtype != "bfloat16" and (job.speed.fp8 or job.speed.attention != "exact"):
        return f"not in {engine.dtype}"
    if engine.device == "cpu" and job.speed.fp8 and is_installed("torchao"):
        _let_a_cpu_do_fp8()
        return ""
    import torch

    capability = torch.cuda.get_device_capability(engine.device) if engine.device != "cpu" else None
    return "; ".join(fault.message.replace("`", "") for fault in speed_faults([job], capability))


def _let_a_cpu_do_fp8() -> None:
    """torchao refuses CPUs, where torch multiplies such numbers too: slowly, but that is not the question."""
    from torchao.quantization import quant_api

    quant_api._check_hardware_support = lambda granularity: None


def _clip(engine: Engine, job: Job) -> Clip:
    import torch

    first, second = (engine.generate(job, Gradient(), lambda step, steps: None) for _ in range(2))
    if not torch.equal(first.latents, second.latents):
        raise BenchmarkError(f"{job.speed}: two runs of one clip differ")
    return second


def _relative(found: torch.Tensor, exact: torch.Tensor) -> float:
    """|found - exact| / |exact|."""
    return ((found - exact).norm() / exact.norm()).item()


def _psnr(found: np.ndarray, exact: np.ndarray) -> float:
    """In dB of 255; infinite where no pixel differs."""
    error = float(np.mean((found.astype(np.float64) - exact) ** 2))
    return 10 * math.log10(255**2 / error) if error else math.inf


if __name__ == "__main__":
    guarded(main)
