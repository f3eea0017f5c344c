"""The engine: a loaded model, encoded prompts and prepared identities, and the way from a job to its frames.

All that is kept between jobs is keyed by what decides its content; nothing else is left from one job to the next, so a
job's latents are the same whether it runs alone, first or last.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image

from standin_batch.digests import cache_folder
from standin_batch.engine.brought import Brought, brought, brought_key
from standin_batch.engine.clock import Clock
from standin_batch.engine.denoise import Context, Denoising, OnStep, decode, encode_prompt, finished, run_expert, start
from standin_batch.engine.dit.attention import EXACT, INEXACT, Shape, found
from standin_batch.engine.dit.block import run_block
from standin_batch.engine.dit.chosen import Kernels
from standin_batch.engine.dit.compiled import compiled_block
from standin_batch.engine.dit.forward import Forward
from standin_batch.engine.fp8 import EightBits
from standin_batch.engine.identities import Identities
from standin_batch.engine.identity import IdentityKV
from standin_batch.engine.lora_set import LoraSet
from standin_batch.engine.measured import measured
from standin_batch.engine.pipeline import load_module, load_pipeline, load_text_encoder, register_sizes
from standin_batch.engine.placement import HOME, Placement, empty_cache
from standin_batch.engine.prompt_cache import PromptCache
from standin_batch.engine.prompts import Prompts
from standin_batch.engine.quiet import to_log
from standin_batch.engine.step_cache import summed
from standin_batch.face.models import FaceModels
from standin_batch.job import Job
from standin_batch.modes import MODES, ModeRequest
from standin_batch.plan.memory import Profile, next_profile
from standin_batch.plan.work import tokens
from standin_batch.weights.locate import ModelFiles
from standin_batch.weights.registry import ROWS

UNCOMPILED = "its blocks are not compiled under --memory lowest"


class Pictures(Protocol):
    """Gives what jobs are shown of their identities, and the models that look at faces."""

    def image(self, job: Job) -> Image.Image:
        """The prepared subject of `job`: 512 x 512, RGB."""
        ...

    def face_models(self) -> FaceModels:
        """Detector with embedder, and parser."""
        ...


@dataclass(frozen=True)
class Clip:
    """What came of a job.

    Attributes:
        frames: uint8 [num_frames, height, width, 3], RGB.
        latents: float32 [1, 16, T, height / 8, width / 8], before decoding.
        seconds: time spent, by phase.
        peak_memory: bytes of GPU memory at the highest; None without a GPU.
        report: what its mode has to say of it, as JSON has it.
        warnings: of it, what the user should know at once.
        attention: name of the kernel that its video attends by.
    """

    frames: np.ndarray
    latents: torch.Tensor
    seconds: dict[str, float]
    peak_memory: int | None
    report: Mapping[str, Any]
    warnings: tuple[str, ...]
    attention: str


@dataclass
class Work:
    """A job on its way from noise to latents.

    Attributes:
        job: what to make.
        identity: latent of its subject; None without one.
        denoising: where its video stands.
        clock: of its phases.
        report: what its mode has to say of it, as JSON has it.
        warnings: of it, what the user should know at once.
        attention: name of the kernel that its video attends by.
    """

    job: Job
    identity: torch.Tensor | None
    denoising: Denoising
    clock: Clock
    report: Mapping[str, Any]
    warnings: tuple[str, ...]
    attention: str


@dataclass(frozen=True)
class Denoised:
    """A job whose latents are done.

    Attributes:
        job: what to make.
        latents: after the last step, as `Denoising` has them.
        clock: of its phases.
        report: what its mode has to say of it, as JSON has it.
        warnings: of it, what the user should know at once.
        attention: name of the kernel that its video attends by.
    """

    job: Job
    latents: torch.Tensor
    clock: Clock
    report: Mapping[str, Any]
    warnings: tuple[str, ...]
    attention: str

    @classmethod
    def of(cls, work: Work) -> Denoised:
        """`work`, which has been through every expert."""
        return cls(work.job, work.denoising.latents, work.clock, work.report, work.warnings, work.attention)


@dataclass
class Engine:
    """One model on one device.

    Attributes:
        device: as torch names it.
        model: row of the weights registry.
        dtype: `float32` or `bfloat16`.
        files: the model's files.
        placement: where its weights are.
        cache: of encoded prompts; None without one.
    """

    device: str
    model: str
    dtype: str
    files: ModelFiles
    pipe: Any = field(repr=False)
    placement: Placement = field(repr=False)
    cache: PromptCache | None = field(default=None, repr=False)
    _prompts: Prompts = field(init=False, repr=False)
    _loras: LoraSet = field(init=False, repr=False)
    _bits: EightBits = field(init=False, repr=False)
    _brought: tuple[str, Brought] | None = field(default=None, repr=False)
    _identities: Identities = field(init=False, repr=False)
    _forward: Forward = field(init=False, repr=False)
    _kernels: Kernels = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._forward = Forward(self.device)
        self._kernels = Kernels(self.device)
        self._prompts = Prompts(self.files, self.dtype, self.device, self.cache)
        self._loras = LoraSet(self.device)
        self._bits = EightBits(self.device)
        self._identities = Identities(self.files, self.device)

    @classmethod
    def load(
        cls,
        model: str,
        dtype: str,
        files: ModelFiles,
        device: str,
        profile: Profile = Profile.RESIDENT,
        cache: PromptCache | None = None,
    ) -> Engine:
        """Load a model. Slow at 14B: minutes. Its text encoder is loaded with the first prompt that is not known.

        Args:
            model: row of the weights registry.
            dtype: `float32` or `bfloat16`.
            files: the model's files.
            device: as torch names it.
            profile: what stays on the device while it is not at work.
            cache: of encoded prompts; None to encode them all.
        """
        files = files.for_dtype(dtype)
        with to_log():
            register_sizes(ROWS[model].diffsynth)
            pipe = load_pipeline(files, dtype, device if profile is Profile.RESIDENT else HOME)
            placement = Placement(pipe, device, profile)
        return cls(device, model, dtype, files, pipe, placement, cache)

    @property
    def experts(self) -> range:
        """Indices of the model's experts, from high noise to low."""
        return range(len(self.files.experts))

    @property
    def takes_turns(self) -> bool:
        """Whether its experts change places on the device, so that clips should go through them together."""
        return self.placement.profile is Profile.OFFLOAD and len(self.experts) > 1

    def release(self) -> None:
        """Give the memory back; the engine cannot be used afterwards."""
        self.pipe = self.placement = None  # type: ignore[assignment]
        self._prompts.keep(())
        self._identities = Identities(self.files, self.device)
        self._loras = LoraSet(self.device)
        self._bits = EightBits(self.device)
        self.forget()

    def forget(self) -> None:
        """Forget what was kept for the next job: after an error it may be what fills the memory."""
        self._brought = None
        self._identities.forget()
        self._forward.forget()
        self._loras.let_go()
        gc.collect()
        empty_cache(self.device)

    def use(self, profile: Profile) -> None:
        """Go over to another memory profile."""
        if profile is not self.placement.profile:
            self.forget()
            self.placement.use(profile)

    def profile_below(self, work: Work | Denoised | None, error: BaseException) -> Profile | None:
        """The memory profile to try after memory ran out; None where there is none left.

        Args:
            work: that ran out of it; None before it was begun.
            error: as it was raised.
        """
        index, modules = (work.denoising.expert, MODES[work.job.mode].modules) if isinstance(work, Work) else (None, ())
        needed, capacity = measured(self.device, error)
        return next_profile(self.placement.profile, needed, capacity, self.placement.weight_bytes(index, modules))

    def kernel(self, job: Job) -> str:
        """The name of the attention kernel that the video's tokens of `job` are computed with."""
        if job.speed.attention in INEXACT:
            return job.speed.attention
        video, sizes = tokens(job), ROWS[job.model].sizes
        identity = 0 if job.subject is None else sizes.identity_tokens
        shape = Shape(video, video + identity, sizes.num_heads, sizes.dim // sizes.num_heads)
        return self._kernels.name_for(shape, self.pipe.torch_dtype)

    def prompts_to_encode(self, texts: Iterable[str]) -> list[str]:
        """Those of `texts` that neither this engine nor the cache knows."""
        return self._prompts.missing(texts)

    def encode_prompts(self, texts: Iterable[str]) -> None:
        """Encode these prompts and forget all others; afterwards the text encoder leaves the GPU.

        Raises:
            LoadError: if the text encoder is needed, and cannot be loaded.
        """
        wanted = list(dict.fromkeys(texts))
        if missing := self._prompts.missing(wanted):
            with to_log():
                self.placement.for_text_encoder(lambda device: load_text_encoder(self.pipe, self.files, device))
            for text in missing:
                self._prompts.add(text, encode_prompt(self.pipe, text))
            self.placement.text_encoder_leaves()
        self._prompts.keep(wanted)

    def generate(self, job: Job, pictures: Pictures, on_step: OnStep) -> Clip:
        """Make the video of `job`: all of `begin`, `denoise` by each expert and `decode`.

        Args:
            job: of this engine's model and dtype.
            pictures: gives the prepared subject; asked only when it is not known yet.
            on_step: called after each denoising step with the steps done and the number of steps.
        """
        work = self.begin(job, pictures)
        for expert in self.experts:
            self.denoise(work, expert, on_step)
        return self.decode(Denoised.of(work))

    def begin(self, job: Job, pictures: Pictures, clock: Clock | None = None) -> Work:
        """Prepare all that `job` starts from: prompts, identity, what its mode brings, noise.

        Args:
            job: of this engine's model and dtype.
            pictures: gives the prepared subject; asked only when it is not known yet.
            clock: of a job that was begun before.
        """
        clock = clock or Clock(self.device)
        with to_log():
            with clock.phase("prompt"):
                context = self._context(job)
            self.placement.for_vae()
            with clock.phase("identity"):
                identity = self._identities.latent(self.pipe, job, pictures.image)
            with clock.phase("inputs"):
                for name in MODES[job.mode].modules:
                    load_module(self.pipe, name, self.files.modules[name], self.placement.home)
                shown = self._shown(job, pictures)
                denoising = start(self.pipe, job, context, shown)
        warnings = (*shown.inputs.warnings, *([UNCOMPILED] if job.speed.compile and not self._compiles else []))
        report = {**shown.inputs.report, **denoising.report}
        return Work(job, identity, denoising, clock, report, warnings, self.kernel(job))

    def denoise(self, work: Work, expert: int, on_step: OnStep) -> None:
        """Take `work` through the steps of one expert."""
        if work.denoising.is_past(self.pipe, expert):
            return
        with to_log():
            with work.clock.phase("switch"):
                dit = self.placement.for_expert(expert, MODES[work.job.mode].modules)
                self._bits.make_way(work.job, expert)
                self._loras.put_on(work.job, expert, self.files.experts[expert].name, dit)
                self._bits.put_on(work.job, expert, dit)
                work.denoising.to(self.device)
                self._set_forward(work)
            with work.clock.phase("identity"):
                identity = self._identity(work, expert, dit)
            with work.clock.phase("denoise"):
                run_expert(self.pipe, self._forward, work.denoising, expert, identity, on_step)

    def set_aside(self, work: Work) -> None:
        """Take what waits for the next expert off the device."""
        work.denoising.to("cpu")

    def decode(self, denoised: Denoised) -> Clip:
        """Make the frames of a job whose latents are done."""
        job, clock = denoised.job, denoised.clock
        latents = finished(denoised.latents, job).to(device=self.device)
        with to_log(), clock.phase("decode"):
            self.placement.for_vae()
            frames = decode(self.pipe, latents, job.vae_tiled)
        return Clip(
            frames=frames.numpy(),
            latents=latents.float().cpu(),
            seconds=clock.seconds,
            peak_memory=clock.peak_memory(),
            report=summed(denoised.report),
            warnings=denoised.warnings,
            attention=denoised.attention,
        )

    def _identity(self, work: Work, expert: int, dit: Any) -> IdentityKV | None:  # noqa: ANN401
        weights = (self._loras.key(expert), self._bits.is_on(expert))
        return self._identities.keys_values(dit, expert, work.job, work.identity, weights, alone=self.takes_turns)

    def _set_forward(self, work: Work) -> None:
        compiled = work.job.speed.compile and self._compiles
        self._forward.attention = found({**EXACT, **INEXACT}[work.attention])
        self._forward.block = compiled_block(cache_folder() / "compiled") if compiled else run_block
        self._forward.writes_apart = not compiled

    @property
    def _compiles(self) -> bool:
        """Not where each layer comes for its own computation: what moves weights then is no part of a graph."""
        return self.placement.profile is not Profile.LOWEST

    def _context(self, job: Job) -> Context:
        if missing := [text for text in job.texts if text not in self._prompts.texts]:
            self.encode_prompts([*self._prompts.texts, *missing])
        positive, *negative = (self._prompts.of(text).to(self.device) for text in job.texts)
        return Context(positive, negative[0] if negative else None)

    def _shown(self, job: Job, pictures: Pictures) -> Brought:
        """What the mode of `job` brings; the last is kept, for other seeds and prompts on the same videos."""
        key = brought_key(job)
        if self._brought is None or self._brought[0] != key:
            self._brought = (key, brought(self.pipe, job, MODES[job.mode].inputs(_request(job, pictures))))
        return self._brought[1]


def _request(job: Job, pictures: Pictures) -> ModeRequest:
    subject = job.subject if MODES[job.mode].reads_faces(job.params) else None
    return ModeRequest(
        params=job.params,
        files={key: file.path for key, file in job.files.items()},
        videos={key: file.video for key, file in job.files.items() if file.video is not None},
        subject=None if subject is None else subject.image,
        width=job.width,
        height=job.height,
        num_frames=job.num_frames,
        fps=job.fps,
        faces=pictures.face_models,
    )
