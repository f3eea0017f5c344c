"""The record of a finished job: what was made, from what, how long it took. Renamed into place last, it says done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from standin_batch.job import Job

RECORD_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Record:
    """One finished job.

    Attributes:
        record: version of this format.
        job_id: of the job.
        name: of the job in the manifest.
        also: further names that are the same video.
        manifest: name of the manifest.
        model: row of the weights registry.
        mode: of generation.
        prompt_name: of the prompt in the manifest.
        prompt: text.
        negative_prompt: text.
        identity: name of the identity; None without one.
        identity_kind: `face` or `subject`.
        identity_sha256: of the identity's image.
        identity_on_no_face: what was to be done if its image held no face.
        loras: name, scale, and the SHA-256 of each file by expert (or `all`), in order.
        seed: of the noise.
        width: pixels.
        height: pixels.
        num_frames: frames.
        fps: frames per second.
        num_inference_steps: denoising steps.
        cfg_scale: guidance of each expert.
        sigma_shift: of the schedule.
        boundary: below this share of the timesteps the low-noise expert took over.
        dtype: of the computation.
        vae_tiled: whether the VAE worked in tiles.
        speed: what was given up of exactness for speed, such as `fp8, teacache 0.1`; `exact` where nothing was.
        params: the mode's own keys.
        files: SHA-256 of the mode's files by key.
        weights: digests by what they are.
        video: path below the output folder.
        video_sha256: of the mp4.
        video_bytes: size of the mp4.
        latents: path below the output folder, where they are kept.
        seconds: time spent, by phase.
        peak_memory: bytes of GPU memory; None without a GPU.
        memory: profile of the memory that it was finished with.
        device: as torch names it.
        finished_at: ISO 8601, UTC.
        versions: of the software that made it.
        report: what there is to say of this video: for a face swap, which frames showed which face; with a cache, how
            many steps were skipped.
        scores: how good it is, as `scores.scores` has it; empty where it was not looked at.
        accept: what its job asks of the scores, such as `face_similarity >= 0.55`.
        accepted: whether it is the clip that the job takes; None where it asks for nothing, or has not decided yet.
        attempt: 1 with the job's own seed, from 2 with seeds that are made from it.
        attempt_of: id of the job's first attempt; None where it asks for nothing.
    """

    job_id: str
    name: str
    also: tuple[str, ...]
    manifest: str
    model: str
    mode: str
    prompt_name: str
    prompt: str
    negative_prompt: str
    identity: str | None
    identity_kind: str | None
    identity_sha256: str | None
    identity_on_no_face: str | None
    loras: tuple[Mapping[str, Any], ...]
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
    speed: str
    params: Mapping[str, Any]
    files: Mapping[str, str]
    weights: Mapping[str, str]
    video: str
    video_sha256: str
    video_bytes: int
    latents: str | None
    seconds: Mapping[str, float]
    peak_memory: int | None
    memory: str
    device: str
    finished_at: str
    versions: Mapping[str, str]
    report: Mapping[str, Any]
    scores: Mapping[str, Any] = field(default_factory=dict)
    accept: tuple[str, ...] = ()
    accepted: bool | None = None
    attempt: int = 1
    attempt_of: str | None = None
    record: int = RECORD_VERSION

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


def job_fields(job: Job) -> dict[str, Any]:
    """The fields of a record that the job alone decides; also what goes into the metadata of its video."""
    same = (
        *("job_id", "name", "model", "mode", "prompt_name", "prompt", "negative_prompt", "seed", "width", "height"),
        *("num_frames", "fps", "num_inference_steps", "cfg_scale", "sigma_shift", "boundary", "dtype", "vae_tiled"),
    )
    subject = job.subject
    return {
        **{field: getattr(job, field) for field in same},
        "speed": str(job.speed),
        "params": dict(job.params),
        "files": {key: file.digest for key, file in job.files.items()},
        "loras": tuple({"name": lora.name, **lora.fingerprint()} for lora in job.loras),
        "weights": dict(job.weights),
        "identity": None if subject is None else subject.name,
        "identity_kind": None if subject is None else subject.kind,
        "identity_sha256": None if subject is None else subject.digest,
        "identity_on_no_face": None if subject is None else subject.on_no_face,
    }
