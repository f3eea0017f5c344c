"""From a manifest to jobs: every combination resolved, every file replaced by what it contains, every job named.

Reading files is left to the caller: `Contents` says what they hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from standin_batch.errors import UsageError
from standin_batch.job import InputFile, Job, Lora, Subject, job_id
from standin_batch.manifest import Identity, Manifest
from standin_batch.manifest import Lora as WrittenLora
from standin_batch.modes import MODES
from standin_batch.weights.content import ADAPTER, BASE, FACE
from standin_batch.weights.registry import ROWS


class Contents(Protocol):
    """What files hold."""

    def file(self, path: Path) -> str:
        """SHA-256 of a file."""

    def weights(self, model: str) -> Mapping[str, str]:
        """Digest of each part of a model's weights."""


@dataclass(frozen=True)
class Expansion:
    """The jobs of a manifest in its order, each once.

    Attributes:
        jobs: in the order of the manifest.
        repeats: how many combinations were the same video as an earlier one.
    """

    jobs: tuple[Job, ...]
    repeats: int


def expand(manifest: Manifest, contents: Contents) -> Expansion:
    """Turn `manifest` into jobs. The same video written twice is one job; the first name wins."""
    jobs: dict[str, Job] = {}
    repeats = 0
    for spec in manifest.jobs:
        for variant in spec.variants():
            job = _job(spec.name, variant.values, contents)
            if (first := jobs.get(job.job_id)) is None:
                jobs[job.job_id] = job
                continue
            repeats += 1
            if job.name not in (first.name, *first.also):
                jobs[job.job_id] = replace(first, also=(*first.also, job.name))
    return Expansion(tuple(jobs.values()), repeats)


def _job(name: str, values: Mapping[str, Any], contents: Contents) -> Job:
    row = ROWS[values["model"]]
    mode = MODES[values["mode"]]
    subject = _subject(values["identity"], contents)
    file_keys = (*mode.video_keys, *mode.image_keys)
    job = Job(
        name=name,
        prompt_name=values["prompt"].name,
        priority=values["priority"],
        model=row.name,
        mode=mode.name,
        subject=subject,
        loras=tuple(_lora(lora, contents) for lora in values["loras"]),
        prompt=values["prompt"].text,
        negative_prompt=values["negative_prompt"],
        seed=_seed(name, values["seed"]),
        width=values["width"],
        height=values["height"],
        num_frames=values["num_frames"],
        fps=float(values["fps"]),
        num_inference_steps=values["num_inference_steps"],
        cfg_scale=_per_expert(values["cfg_scale"], len(row.experts)),
        sigma_shift=float(values["sigma_shift"]),
        boundary=row.boundary,
        dtype=values["dtype"],
        vae_tiled=values["vae_tiled"],
        params={key: values[key] for key in mode.params.model_fields if key not in file_keys},
        files=_files(file_keys, values, contents),
        weights=_weights(contents.weights(row.name), subject),
    )
    return replace(job, job_id=job_id(job))


def _subject(identity: Identity | None, contents: Contents) -> Subject | None:
    if identity is None:
        return None
    return Subject(identity.name, identity.image, identity.kind, identity.on_no_face, contents.file(identity.image))


def _lora(lora: WrittenLora, contents: Contents) -> Lora:
    files = {key: InputFile(path, contents.file(path)) for key, path in lora.files.items()}
    return Lora(lora.name, files, float(lora.scale))


def _seed(name: str, seed: int | str) -> int:
    if isinstance(seed, str):
        raise UsageError(f"job {name!r}: this version does not draw seeds", "write a number or a range such as 0..3")
    return seed


def _per_expert(scale: float | tuple[float, float], experts: int) -> tuple[float, ...]:
    scales = scale if isinstance(scale, tuple) else (scale,) * experts
    return tuple(float(value) for value in scales[:experts])


def _files(keys: tuple[str, ...], values: Mapping[str, Any], contents: Contents) -> dict[str, InputFile]:
    paths = {key: getattr(values[key], "path", values[key]) for key in keys if values.get(key) is not None}
    return {key: InputFile(path, contents.file(path)) for key, path in paths.items()}


def _weights(found: Mapping[str, str], subject: Subject | None) -> dict[str, str]:
    """The weights that have a part in the video: without an identity, neither adapter nor face models do."""
    parts = [BASE]
    if subject is not None:
        parts.append(ADAPTER)
        if subject.kind == "face":
            parts.append(FACE)
    return {part: found[part] for part in parts}
