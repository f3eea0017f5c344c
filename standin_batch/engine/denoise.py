"""The denoising loop: DiffSynth's units and scheduler and our own forward, with guidance and identity per expert.

The loop of `WanVideoPipeline.__call__` takes one guidance scale and cannot be stopped inside a clip; this one is its
arithmetic, step for step, with both opened up. A clip runs expert by expert, so that many clips can share a swap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import torch
from diffsynth.pipelines.wan_video import WanVideoPipeline, WanVideoUnit_NoiseInitializer

from standin_batch.engine.background import Background
from standin_batch.engine.brought import TILES, Brought
from standin_batch.engine.dit.forward import Forward, Vace
from standin_batch.engine.identity import IdentityKV
from standin_batch.engine.step_cache import SKIPPED, StepCache, computed_steps, modulation_changes
from standin_batch.job import Job
from standin_batch.weights.registry import ROWS

TRAIN_TIMESTEPS = 1000

PASSES = ("with the prompt", "without")
"""Of a step with guidance."""

NO_REPORT: Mapping[str, Any] = MappingProxyType({})

OnStep = Callable[[int, int], None]


@dataclass(frozen=True)
class Context:
    """Encoded prompts: [1, 512, text_dim] each, in the pipeline's dtype. `negative` is None without guidance."""

    positive: torch.Tensor
    negative: torch.Tensor | None


@dataclass
class Denoising:
    """A clip between noise and latents.

    Attributes:
        job: what to make.
        context: its encoded prompts.
        latents: [1, 16, T, height / 8, width / 8], in the pipeline's dtype; T is one more with a reference image.
        strength: share of the noise that it begins with.
        hints: `vace_context` and `vace_scale` of DiffSynth's VACE unit.
        background: what is put back after every step.
        step: how many steps are done.
        expert: index of the one at work, or that was.
        skipped: how many steps `speed.cache` leaves out, by the index of each expert that has begun, as JSON has it.
        held: the step and latents before the step whose outcome the next one takes over; None where it is computed.
    """

    job: Job
    context: Context
    latents: torch.Tensor
    strength: float
    hints: Mapping[str, Any]
    background: Background | None
    step: int = 0
    expert: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    held: tuple[int, torch.Tensor] | None = None

    @property
    def resumable(self) -> tuple[int, torch.Tensor]:
        """Steps done and latents to go on from with the same bits: what skipped steps take over is not saved."""
        return self.held or (self.step, self.latents)

    @property
    def report(self) -> dict[str, Any]:
        """What there is to say of it: with a cache the skipped steps, which follow it as it goes on."""
        return {SKIPPED: self.skipped} if self.job.speed.cache else {}

    def restore(self, latents: torch.Tensor, step: int, report: Mapping[str, Any] = NO_REPORT) -> None:
        """Go on from where an earlier process was; its latents are on the CPU, and `report` is what it said."""
        self.latents, self.step = latents.to(self.latents), step
        self.skipped.update(report.get(SKIPPED, {}))

    def is_past(self, pipe: WanVideoPipeline, expert: int) -> bool:
        """Whether none of the steps that are left is one of this expert's."""
        _schedule(pipe, self.job, self.strength)
        left = pipe.scheduler.timesteps[self.step :]
        return all(_expert_of(pipe, timestep, self.job) != expert for timestep in left)

    def to(self, device: str) -> None:
        """Move everything to another device, to wait there or to go on."""
        self.latents = self.latents.to(device)
        self.held = None if self.held is None else (self.held[0], self.held[1].to(device))
        self.background = None if self.background is None else self.background.to(device)
        negative = self.context.negative
        self.context = Context(self.context.positive.to(device), None if negative is None else negative.to(device))
        self.hints = {key: value.to(device) if torch.is_tensor(value) else value for key, value in self.hints.items()}


@torch.no_grad()
def start(pipe: WanVideoPipeline, job: Job, context: Context, brought: Brought) -> Denoising:
    """Draw the noise of `job`, and set out from it, or from the video that its mode brings.

    Args:
        pipe: a loaded pipeline.
        job: what to make.
        context: its encoded prompts.
        brought: what its mode adds.
    """
    units = brought.units_of(job)
    strength = units.get("denoising_strength", 1.0)
    _schedule(pipe, job, strength)
    noise = _noise(pipe, job, units)
    latents, background = noise, None
    if brought.original is not None:
        original = brought.original.to(noise.device)
        latents = pipe.scheduler.add_noise(original, noise, timestep=pipe.scheduler.timesteps[0])
        if brought.inputs.changing is not None:
            background = Background.of(brought.inputs.changing, original, noise)
    shown = None if brought.vace_context is None else brought.vace_context.to(noise.device)
    hints = {"vace_context": shown, "vace_scale": units.get("vace_scale")}
    return Denoising(job, context, latents, strength, hints, background)


@torch.no_grad()
def run_expert(
    pipe: WanVideoPipeline,
    forward: Forward,
    clip: Denoising,
    expert: int,
    identity: IdentityKV | None,
    on_step: OnStep,
) -> None:
    """Take `clip` through the steps that belong to one expert; none of them is an earlier expert's.

    Args:
        pipe: a loaded pipeline.
        forward: of its transformers.
        clip: moved on in place.
        expert: index, from high noise to low.
        identity: what the expert sees of it.
        on_step: called after each step with the number of steps done and the number of steps.
    """
    job, scheduler = clip.job, pipe.scheduler
    _schedule(pipe, job, clip.strength)
    timesteps = scheduler.timesteps
    # All at once: a copy to a GPU waits for it, which no step should.
    at = timesteps.to(dtype=pipe.torch_dtype, device=pipe.device)
    clip.expert, (clip.step, clip.latents) = expert, clip.resumable
    cache, held = _step_cache(pipe, clip, at), clip.resumable
    if cache is not None:
        clip.skipped[str(expert)] = cache.skipped
    while clip.step < len(timesteps) and _expert_of(pipe, timesteps[clip.step], job) == expert:
        timestep = timesteps[clip.step]
        if cache is None or not cache.skips(clip.step):
            held = clip.step, clip.latents
        noise = _guided_noise(pipe, forward, clip, at[clip.step : clip.step + 1], identity, cache)
        latents = scheduler.step(noise, timestep, clip.latents)
        clip.step += 1
        if clip.background is not None:
            latents = clip.background.put_back(scheduler, latents, clip.step)
        clip.latents = latents
        clip.held = held if cache is not None and cache.skips(clip.step) else None
        on_step(clip.step, len(timesteps))


def finished(latents: torch.Tensor, job: Job) -> torch.Tensor:
    """The latents of a clip that is through: [1, 16, (num_frames - 1) / 4 + 1, height / 8, width / 8].

    A reference image of VACE is one more latent frame in front; it goes.
    """
    return latents[:, :, -job.latent_frames :]


def _schedule(pipe: WanVideoPipeline, job: Job, strength: float) -> None:
    pipe.scheduler.set_timesteps(job.num_inference_steps, denoising_strength=strength, shift=job.sigma_shift)


def _expert_of(pipe: WanVideoPipeline, timestep: torch.Tensor, job: Job) -> int:
    return expert_at(float(timestep), job.boundary, pipe.dit2 is not None)


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


def _noise(pipe: WanVideoPipeline, job: Job, units: dict[str, Any]) -> torch.Tensor:
    """The noise of `job`, drawn on the CPU: [1, 16, T, height / 8, width / 8]."""
    size = {"height": job.height, "width": job.width, "num_frames": job.num_frames}
    inputs = {**size, "seed": job.seed, "rand_device": "cpu", **units}
    inputs, _, _ = pipe.unit_runner(WanVideoUnit_NoiseInitializer(), pipe, inputs, {}, {})
    noise: torch.Tensor = inputs["noise"]
    return noise


def _step_cache(pipe: WanVideoPipeline, clip: Denoising, at: torch.Tensor) -> StepCache | None:
    """The cache of a clip for the expert at work, whose steps are among those at the timesteps `at`; None without."""
    job = clip.job
    if not job.speed.cache:
        return None
    own = [i for i, each in enumerate(pipe.scheduler.timesteps) if _expert_of(pipe, each, job) == clip.expert]
    changes = modulation_changes((pipe.dit, pipe.dit2)[clip.expert], [at[i : i + 1] for i in own])
    return StepCache(own[0], computed_steps(changes, ROWS[job.model].teacache, job.speed.cache))


def _guided_noise(
    pipe: WanVideoPipeline,
    forward: Forward,
    clip: Denoising,
    at: torch.Tensor,
    identity: IdentityKV | None,
    cache: StepCache | None,
) -> torch.Tensor:
    """The velocity with guidance at a timestep, `at` [1] on the device."""
    dit, vace = (pipe.dit, pipe.dit2)[clip.expert], _vace(pipe, clip)
    with_prompt, without = (None if cache is None else cache.at(clip.step, which) for which in PASSES)
    positive = forward(dit, clip.latents, at, clip.context.positive, identity, vace, with_prompt)
    cfg_scale = clip.job.cfg_scale[clip.expert]
    if clip.context.negative is None or cfg_scale == 1.0:
        return positive
    negative = forward(dit, clip.latents, at, clip.context.negative, identity, vace, without)
    return negative + cfg_scale * (positive - negative)


def _vace(pipe: WanVideoPipeline, clip: Denoising) -> Vace | None:
    """What the clip is shown by VACE, beside the expert at work; None without it."""
    shown = clip.hints.get("vace_context")
    if shown is None:
        return None
    return Vace((pipe.vace, pipe.vace2 or pipe.vace)[clip.expert], shown, clip.hints["vace_scale"])
