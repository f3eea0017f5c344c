"""The preview: one cheap clip for each model, mode, LoRA set, speed and identity, before the GPU spends a night."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from standin_batch.job import Job, job_id

STEPS = 8
FRAMES = 17
SMALLEST = 64
GRID = 16


def preview(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """The first job of each combination, made cheap: half the size, at most 17 frames and 8 steps.

    At 832 x 480, 81 frames and 20 steps that is a sixtieth of the DiT's work. It is another video, with another id.
    """
    firsts: dict[tuple[object, ...], Job] = {}
    for job in jobs:
        identity = None if job.subject is None else tuple(job.subject.fingerprint().values())
        loras = tuple((lora.name, lora.scale) for lora in job.loras)
        firsts.setdefault((job.model, job.dtype, job.mode, loras, job.speed, identity), job)
    return tuple({cheap.job_id: cheap for cheap in map(_cheap, firsts.values())}.values())


def _cheap(job: Job) -> Job:
    cheap = replace(
        job,
        also=(),
        accept=None,
        width=_half(job.width),
        height=_half(job.height),
        num_frames=min(job.num_frames, FRAMES),
        num_inference_steps=min(job.num_inference_steps, STEPS),
    )
    return replace(cheap, job_id=job_id(cheap))


def _half(pixels: int) -> int:
    """Half of `pixels` in the grid of the model's tokens; what is small already stays."""
    return pixels if pixels < 2 * SMALLEST else pixels // (2 * GRID) * GRID
