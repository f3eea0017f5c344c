"""The engine: a loaded model, encoded prompts and prepared identities, and the way from a job to its frames.

All that is kept between jobs is a cache keyed by what decides its content; nothing else is left from one job to the
next, so a job's latents are the same whether it runs alone, first or last.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from PIL import Image

from standin_batch.engine.adapter import BlockAdapter, load_adapter
from standin_batch.engine.denoise import Context, OnStep, decode, denoise, encode_prompt
from standin_batch.engine.identity import IdentityKV, attached, encode_subject, identity_kv
from standin_batch.engine.pipeline import experts_of, load_pipeline, register_sizes
from standin_batch.engine.quiet import to_log
from standin_batch.job import Job
from standin_batch.modes import MODES, ModeRequest
from standin_batch.weights.locate import ModelFiles
from standin_batch.weights.registry import ROWS


@dataclass(frozen=True)
class Clip:
    """What came of a job.

    Attributes:
        frames: uint8 [num_frames, height, width, 3], RGB.
        latents: float32 [1, 16, T, height / 8, width / 8], before decoding.
        seconds: time spent, by phase.
        peak_memory: bytes of GPU memory at the highest; None without a GPU.
    """

    frames: np.ndarray
    latents: torch.Tensor
    seconds: dict[str, float]
    peak_memory: int | None


@dataclass
class Engine:
    """One model on one device.

    Attributes:
        device: as torch names it.
        model: row of the weights registry.
        dtype: `float32` or `bfloat16`.
        files: the model's files.
    """

    device: str
    model: str
    dtype: str
    files: ModelFiles
    pipe: Any = field(repr=False)
    _contexts: dict[str, torch.Tensor] = field(default_factory=dict, repr=False)
    _adapters: dict[int, tuple[BlockAdapter, ...]] = field(default_factory=dict, repr=False)
    _latent: tuple[str, torch.Tensor] | None = field(default=None, repr=False)
    _identities: dict[tuple[str, int, tuple[int, int]], IdentityKV] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, model: str, dtype: str, files: ModelFiles, device: str) -> Engine:
        """Load a model. Slow at 14B: minutes."""
        with to_log():
            register_sizes(ROWS[model].diffsynth)
            pipe = load_pipeline(files, dtype, device)
        return cls(device, model, dtype, files, pipe)

    def release(self) -> None:
        """Give the memory back; the engine cannot be used afterwards."""
        self.pipe = None
        self._latent = None
        caches: tuple[MutableMapping[Any, Any], ...] = (self._contexts, self._adapters, self._identities)
        for cache in caches:
            cache.clear()
        gc.collect()
        if self.device != "cpu":
            torch.cuda.empty_cache()

    def encode_prompts(self, texts: Iterable[str]) -> None:
        """Encode these prompts and forget all others; afterwards the text encoder leaves the GPU."""
        wanted = list(dict.fromkeys(texts))
        missing = [text for text in wanted if text not in self._contexts]
        if missing:
            self.pipe.text_encoder.to(self.device)
            for text in missing:
                self._contexts[text] = encode_prompt(self.pipe, text).cpu()
            if self.device != "cpu":
                self.pipe.text_encoder.to("cpu")
                torch.cuda.empty_cache()
        self._contexts = {text: self._contexts[text] for text in wanted}

    def generate(self, job: Job, subject_image: Callable[[], Image.Image], on_step: OnStep) -> Clip:
        """Make the video of `job`.

        Args:
            job: of this engine's model and dtype.
            subject_image: gives the prepared subject (512 x 512, RGB); asked only when it is not known yet.
            on_step: called after each denoising step with the steps done and the number of steps.
        """
        clock = _Clock(self.device)
        with to_log():
            with clock.phase("prompt"):
                context = self._context(job)
            with clock.phase("identity"):
                latent = self._subject_latent(job, subject_image)
            with clock.phase("denoise"):
                latents = denoise(
                    self.pipe,
                    job,
                    context,
                    _mode_inputs(job),
                    lambda expert: self._with_identity(job, expert, latent),
                    on_step,
                )
            with clock.phase("decode"):
                frames = decode(self.pipe, latents, job.vae_tiled)
        return Clip(frames.numpy(), latents.float().cpu(), clock.seconds, clock.peak_memory())

    def _context(self, job: Job) -> Context:
        needs_negative = any(scale != 1.0 for scale in job.cfg_scale)
        texts = [job.prompt, job.negative_prompt] if needs_negative else [job.prompt]
        if missing := [text for text in texts if text not in self._contexts]:
            self.encode_prompts([*self._contexts, *missing])
        positive, *negative = (self._contexts[text].to(self.device) for text in texts)
        return Context(positive, negative[0] if negative else None)

    def _subject_latent(self, job: Job, subject_image: Callable[[], Image.Image]) -> torch.Tensor | None:
        if job.subject is None:
            return None
        key = _subject_key(job)
        if self._latent is None or self._latent[0] != key:
            # One identity at a time: its keys and values are 0.84 GB for each expert of 14B.
            self._identities.clear()
            self._latent = (key, encode_subject(self.pipe, subject_image()))
        return self._latent[1]

    def _with_identity(self, job: Job, expert: int, latent: torch.Tensor | None) -> AbstractContextManager[None]:
        dit = experts_of(self.pipe)[expert]
        if latent is None:
            return attached(dit, None)
        key = (_subject_key(job), expert, job.grid)
        if key not in self._identities:
            # One grid at a time, for the same reason as one identity.
            self._identities = {known: kv for known, kv in self._identities.items() if known[2] == job.grid}
            self._identities[key] = identity_kv(dit, self._adapter(expert), latent, job.grid)
        return attached(dit, self._identities[key])

    def _adapter(self, expert: int) -> tuple[BlockAdapter, ...]:
        if expert not in self._adapters:
            dit = experts_of(self.pipe)[expert]
            path = self.files.adapters()[expert]
            self._adapters[expert] = load_adapter(path, len(dit.blocks), dit.dim, self.device)
        return self._adapters[expert]


class _Clock:
    """Seconds by phase, and the highest GPU memory since it was made."""

    def __init__(self, device: str) -> None:
        self.seconds: dict[str, float] = {}
        self._cuda = device.startswith("cuda")
        if self._cuda:
            torch.cuda.reset_peak_memory_stats()

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        if self._cuda:
            torch.cuda.synchronize()
        self.seconds[name] = time.perf_counter() - start

    def peak_memory(self) -> int | None:
        return torch.cuda.max_memory_allocated() if self._cuda else None


def _subject_key(job: Job) -> str:
    assert job.subject is not None
    return repr((sorted(job.subject.fingerprint().items()), job.weights.get("face")))


def _mode_inputs(job: Job) -> dict[str, Any]:
    inputs = MODES[job.mode].inputs
    assert inputs is not None, "a mode without inputs is refused before any work starts"
    files = {key: file.path for key, file in job.files.items()}
    return inputs(ModeRequest(job.params, files, job.width, job.height, job.num_frames))
