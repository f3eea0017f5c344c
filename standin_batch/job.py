"""The job: one video, fully resolved and frozen, named by the content of all that decides it.

What is in a job's id and what is not is written down once, in `FINGERPRINTED` and `NOT_FINGERPRINTED`; a test sorts
every field of `Job` into one of them, so a new field cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from standin_batch.fingerprint import digest
from standin_batch.manifest.manifest import ALL_EXPERTS, Acceptance
from standin_batch.media.video import VideoInfo
from standin_batch.speed import EXACT, Speed

FORMAT_VERSION = 2
"""Raised when the same fields come to mean another video."""

ID_LENGTH = 16
"""Hexadecimal digits of a job's id: 64 bits, so that two among 100,000 jobs meet once in 4 billion manifests."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The photograph or drawing of an identity.

    Attributes:
        name: what the manifest calls it.
        image: absolute path of the file.
        kind: `face` is detected, cropped and parsed; `subject` is taken as it is.
        on_no_face: what to do when no face is found.
        digest: SHA-256 of the file.
    """

    name: str
    image: Path
    kind: Literal["face", "subject"]
    on_no_face: Literal["error", "whole_image"]
    digest: str

    def fingerprint(self) -> dict[str, str]:
        """What of it decides the video: the content of the image and how it is prepared."""
        if self.kind == "subject":
            return {"image": self.digest, "kind": self.kind}
        return {"image": self.digest, "kind": self.kind, "on_no_face": self.on_no_face}


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that a mode or a LoRA is read from.

    Attributes:
        path: absolute.
        digest: SHA-256 of its content.
        video: what it is, where it is a video; the content decides that too.
    """

    path: Path
    digest: str
    video: VideoInfo | None = None


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA at a scale.

    Attributes:
        name: what the manifest calls it.
        files: by expert, or under `all`.
        scale: of its addition to the weights.
    """

    name: str
    files: Mapping[str, InputFile]
    scale: float

    def file_for(self, expert: str) -> InputFile | None:
        """The file for the expert of this name; None where there is none."""
        return self.files.get(expert) or self.files.get(ALL_EXPERTS)

    def fingerprint(self) -> dict[str, Any]:
        """What of it decides the video: the content of its files and the scale."""
        return {"files": {key: file.digest for key, file in self.files.items()}, "scale": self.scale}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One video to make.

    Attributes:
        name: of the job in the manifest.
        prompt_name: of the prompt in the manifest; labels file names.
        priority: higher runs earlier.
        retries: how often it is tried again after a fault that may pass.
        accept: what its scores have to be, and how often it is made again with another seed; None takes it as it is.
        attempt: 0 with the seed of the manifest, from 1 with seeds made from it.
        first_seed: the seed of attempt 0, where this is another.
        also: names of further jobs in the manifest that are this same video.
        model: row of the weights registry.
        mode: name in the table of modes.
        subject: the identity; None generates without one.
        loras: added to the weights, in this order.
        prompt: text.
        negative_prompt: text.
        seed: of the noise, 0 .. 2**63 - 1.
        width: pixels, a multiple of 16.
        height: pixels, a multiple of 16.
        num_frames: 4n+1.
        fps: frames per second of the written video.
        num_inference_steps: denoising steps.
        cfg_scale: guidance of each expert, from high noise to low; 1 is off.
        sigma_shift: shift of the flow-match schedule.
        boundary: below this share of the timesteps the low-noise expert takes over.
        dtype: `float32` or `bfloat16`.
        vae_tiled: whether the VAE works in tiles.
        speed: what is given up of exactness for speed.
        params: the mode's own keys, without its files.
        files: the mode's files by key.
        weights: digest of each weight that has a part in the video, by what it is.
    """

    name: str
    prompt_name: str
    priority: int = 0
    retries: int = 2
    accept: Acceptance | None = None
    attempt: int = 0
    first_seed: int | None = None
    also: tuple[str, ...] = ()
    model: str
    mode: str
    subject: Subject | None
    loras: tuple[Lora, ...] = ()
    prompt: str
    negative_prompt: str
    seed: int
    width: int
    height: int
    num_frames: int
    fps: float
    num_inference_steps: int
    cfg_scale: tuple[float, ...]
    sigma_shift: float
    boundary: float
    dtype: str
    vae_tiled: bool
    speed: Speed = EXACT
    params: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, InputFile] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)
    job_id: str = ""

    @property
    def label(self) -> str:
        """How the job is called for people: name, identity, prompt, LoRAs, what is given up for speed, and seed."""
        identity = "no identity" if self.subject is None else self.subject.name
        loras = [lora.name if lora.scale == 1.0 else f"{lora.name} {lora.scale:g}" for lora in self.loras]
        parts = [self.name, identity, self.prompt_name, *([" + ".join(loras)] if loras else [])]
        parts += [] if self.speed == EXACT else [str(self.speed)]
        attempt = f", attempt {self.attempt + 1}" if self.attempt else ""
        return " · ".join([*parts, f"seed {self.seed}{attempt}"])

    @property
    def texts(self) -> tuple[str, ...]:
        """What has to be encoded for it: the prompt, and with guidance the negative one."""
        with_guidance = any(scale != 1.0 for scale in self.cfg_scale)
        return (self.prompt, self.negative_prompt) if with_guidance else (self.prompt,)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the video's tokens: VAE 8 x 8, patches 2 x 2."""
        return self.height // 16, self.width // 16

    @property
    def latent_frames(self) -> int:
        """Frames of the video's latent."""
        return (self.num_frames - 1) // 4 + 1


FINGERPRINTED = (
    "mode",
    "subject",
    "loras",
    "prompt",
    "negative_prompt",
    "seed",
    "width",
    "height",
    "num_frames",
    "fps",
    "num_inference_steps",
    "cfg_scale",
    "sigma_shift",
    "boundary",
    "dtype",
    "vae_tiled",
    "speed",
    "params",
    "files",
    "weights",
)
"""Fields that decide the video."""

NOT_FINGERPRINTED = (
    *("name", "prompt_name", "priority", "retries", "accept", "attempt", "first_seed", "also", "model", "job_id"),
)
"""Fields that do not: labels and order. The model counts by the digests of its weights, not by its name."""


def fingerprint(job: Job) -> dict[str, Any]:
    """All that decides the video of `job`, in types that have one canonical text; of `speed` only what is on."""
    values = {name: getattr(job, name) for name in FINGERPRINTED}
    values["subject"] = None if job.subject is None else job.subject.fingerprint()
    values["loras"] = [lora.fingerprint() for lora in job.loras]
    values["speed"] = job.speed.fingerprint()
    values["params"] = dict(job.params)
    values["files"] = {key: file.digest for key, file in job.files.items()}
    values["weights"] = dict(job.weights)
    if job.speed == EXACT:
        del values["speed"]
    return {"format": FORMAT_VERSION, **values}


def job_id(job: Job) -> str:
    """The id of `job`: the same video has the same id, whatever it is called and wherever its files lie."""
    return digest(fingerprint(job))[:ID_LENGTH]
