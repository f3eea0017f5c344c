"""The denoising loop: DiffSynth's units, scheduler and `model_fn_wan_video`, with guidance and identity per expert.

The loop of `WanVideoPipeline.__call__` takes one guidance scale and cannot be stopped inside a clip; this one is its
arithmetic, step for step, with both opened up.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from diffsynth.pipelines.wan_video import (
    WanVideoPipeline,
    WanVideoUnit_InputVideoEmbedder,
    WanVideoUnit_NoiseInitializer,
    WanVideoUnit_VACE,
)

from standin_batch.job import Job

UNITS = (WanVideoUnit_NoiseInitializer(), WanVideoUnit_InputVideoEmbedder(), WanVideoUnit_VACE())
TRAIN_TIMESTEPS = 1000
TILES = {"tile_size": (30, 52), "tile_stride": (15, 26)}
"""Of the tiled VAE, in latent pixels: the values of `WanVideoPipeline.__call__`."""

OnStep = Callable[[int, int], None]
WithIdentity = Callable[[int], AbstractContextManager[None]]


@dataclass(frozen=True)
class Context:
    """Encoded prompts: [1, 512, text_dim] each, in the pipeline's dtype. `negative` is None without guidance."""

    positive: torch.Tensor
    negative: torch.Tensor | None


@torch.no_grad()
def denoise(
    pipe: WanVideoPipeline,
    job: Job,
    context: Context,
    mode_inputs: dict[str, Any],
    with_identity: WithIdentity,
    on_step: OnStep,
) -> torch.Tensor:
    """Denoise one job.

    Args:
        pipe: a loaded pipeline.
        job: what to make.
        context: its encoded prompts.
        mode_inputs: inputs of DiffSynth's units that the job's mode adds.
        with_identity: for the index of an expert, the block within which that expert sees the identity.
        on_step: called after each step with the number of steps done and the number of steps.

    Returns:
        Latents [1, 16, T, height / 8, width / 8] before decoding, in the pipeline's dtype.
    """
    scheduler = pipe.scheduler
    scheduler.set_timesteps(
        job.num_inference_steps,
        denoising_strength=mode_inputs.get("denoising_strength", 1.0),
        shift=job.sigma_shift,
    )
    inputs = _unit_inputs(pipe, job, mode_inputs)
    latents = inputs.pop("latents")
    timesteps = scheduler.timesteps
    for index, timestep in enumerate(timesteps):
        expert = expert_at(float(timestep), job.boundary, pipe.dit2 is not None)
        with with_identity(expert):
            noise = _guided_noise(pipe, expert, latents, timestep, context, job.cfg_scale[expert], inputs)
        latents = scheduler.step(noise, timestep, latents)
        on_step(index + 1, len(timesteps))
    if mode_inputs.get("vace_reference_image") is not None:
        latents = latents[:, :, 1:]
    return latents


def expert_at(timestep: float, boundary: float, has_two: bool) -> int:
    """Index of the expert that denoises `timestep` (0 .. 1000): the low-noise one below the boundary."""
    return 1 if has_two and timestep < boundary * TRAIN_TIMESTEPS else 0


@torch.no_grad()
def decode(pipe: WanVideoPipeline, latents: torch.Tensor, tiled: bool) -> torch.Tensor:
    """Decode latents into frames.

    Args:
        pipe: a loaded pipeline.
        latents: [1, 16, T, height / 8, width / 8].
        tiled: decode in tiles: less memory, 2.25 times the work.

    Returns:
        uint8 [4T - 3, height, width, 3], RGB, on the CPU.
    """
    video = pipe.vae.decode(latents, device=pipe.device, tiled=tiled, **TILES)[0]
    # The rounding of DiffSynth's `vae_output_to_image`: truncation, not to the nearest.
    frames = ((video + 1) * (255 / 2)).clip(0, 255).to(device="cpu", dtype=torch.uint8)
    return frames.permute(1, 2, 3, 0).contiguous()


@torch.no_grad()
def encode_prompt(pipe: WanVideoPipeline, text: str) -> torch.Tensor:
    """Encode one prompt: [1, 512, text_dim], zero behind its last token.

    One at a time: DiffSynth's batched call zeroes every row at every row's length.
    """
    ids, mask = pipe.tokenizer(text, return_mask=True, add_special_tokens=True)
    embedded = pipe.text_encoder(ids.to(pipe.device), mask.to(pipe.device))
    embedded[:, int(mask.gt(0).sum()) :] = 0
    return embedded


def _unit_inputs(pipe: WanVideoPipeline, job: Job, mode_inputs: dict[str, Any]) -> dict[str, Any]:
    inputs: dict[str, Any] = {
        "height": job.height,
        "width": job.width,
        "num_frames": job.num_frames,
        "seed": job.seed,
        "rand_device": "cpu",
        "tiled": job.vae_tiled,
        **TILES,
        **mode_inputs,
    }
    for unit in UNITS:
        inputs, _, _ = pipe.unit_runner(unit, pipe, inputs, {}, {})
    return inputs


def _guided_noise(
    pipe: WanVideoPipeline,
    expert: int,
    latents: torch.Tensor,
    timestep: torch.Tensor,
    context: Context,
    cfg_scale: float,
    inputs: dict[str, Any],
) -> torch.Tensor:
    models = {"dit": (pipe.dit, pipe.dit2)[expert], "vace": (pipe.vace, pipe.vace2 or pipe.vace)[expert]}
    at = timestep.unsqueeze(0).to(dtype=pipe.torch_dtype, device=pipe.device)
    shared = {
        "latents": latents,
        "timestep": at,
        "vace_context": inputs.get("vace_context"),
        "vace_scale": inputs.get("vace_scale"),
    }
    positive = pipe.model_fn(**models, **shared, context=context.positive)
    if context.negative is None or cfg_scale == 1.0:
        return positive
    negative = pipe.model_fn(**models, **shared, context=context.negative)
    return negative + cfg_scale * (positive - negative)
