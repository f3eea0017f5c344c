"""What a mode brings to a job, encoded: once for all prompts, seeds and strengths on the same videos and images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from diffsynth.pipelines.wan_video import WanVideoPipeline, WanVideoUnit_VACE

from standin_batch.engine.identities import subject_key
from standin_batch.job import Job
from standin_batch.modes import MODES, ModeInputs

TILES = {"tile_size": (30, 52), "tile_stride": (15, 26)}
"""Of the tiled VAE, in latent pixels: the values of `WanVideoPipeline.__call__`."""

VIDEOS = ("input_video", "vace_video")
"""Inputs of DiffSynth's units that nothing needs any more once they are encoded."""


@dataclass(frozen=True)
class Brought:
    """What a mode brings, as the model is shown it. It waits on the CPU: 25 MB for 81 frames at 832 x 480.

    Attributes:
        inputs: as the mode gave them, without its videos.
        original: latents of its `input_video`, [1, 16, T, height / 8, width / 8]; None without one.
        vace_context: of DiffSynth's VACE unit, [1, 96, T, height / 8, width / 8]; None without control.
    """

    inputs: ModeInputs
    original: torch.Tensor | None
    vace_context: torch.Tensor | None

    def units_of(self, job: Job) -> dict[str, Any]:
        """Inputs of DiffSynth's units, with the strengths that `job` wants."""
        return {**self.inputs.units, **{key: job.params[key] for key in MODES[job.mode].strengths}}


@torch.no_grad()
def brought(pipe: WanVideoPipeline, job: Job, inputs: ModeInputs) -> Brought:
    """Encode what the mode of `job` gave.

    Args:
        pipe: a loaded pipeline.
        job: what to make.
        inputs: of its mode.
    """
    video = inputs.units.get("input_video")
    original = None if video is None else _encoded(pipe, video, job.vae_tiled).cpu()
    context = _vace_context(pipe, job, inputs.units)
    rest = {key: value for key, value in inputs.units.items() if key not in VIDEOS}
    return Brought(replace(inputs, units=rest), original, None if context is None else context.cpu())


def brought_key(job: Job) -> str:
    """What decides what the mode of `job` brings, encoded: nothing that only says how strongly it acts."""
    mode = MODES[job.mode]
    params = sorted((key, value) for key, value in job.params.items() if key not in mode.strengths)
    files = sorted((key, file.digest) for key, file in job.files.items())
    shape = (job.width, job.height, job.num_frames, job.fps)
    subject = subject_key(job) if mode.reads_faces(job.params) else ""
    return repr((job.mode, params, files, shape, subject, job.vae_tiled))


def _encoded(pipe: WanVideoPipeline, video: Any, tiled: bool) -> torch.Tensor:  # noqa: ANN401
    """The latents of a video: as DiffSynth's `WanVideoUnit_InputVideoEmbedder`, which keeps them to itself."""
    pixels = pipe.preprocess_video(video)
    return pipe.vae.encode(pixels, device=pipe.device, tiled=tiled, **TILES).to(
        dtype=pipe.torch_dtype, device=pipe.device
    )


def _vace_context(pipe: WanVideoPipeline, job: Job, units: Mapping[str, Any]) -> torch.Tensor | None:
    size = {"height": job.height, "width": job.width, "num_frames": job.num_frames}
    inputs = {**size, "tiled": job.vae_tiled, **TILES, **units}
    inputs, _, _ = pipe.unit_runner(WanVideoUnit_VACE(), pipe, inputs, {}, {})
    context: torch.Tensor | None = inputs["vace_context"]
    return context
