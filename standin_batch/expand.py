"""From a manifest to jobs: every combination resolved, every file replaced by what it contains, every job named.

Reading files is left to the caller: `Contents` says what they hold. So is chance: `Seeds` says what `random` becomes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from standin_batch.errors import UsageError
from standin_batch.fingerprint import digest
from standin_batch.job import InputFile, Job, Lora, Subject, job_id
from standin_batch.manifest import Identity, JobSpec, Manifest
from standin_batch.manifest import Lora as WrittenLora
from standin_batch.manifest.lock import RANDOM, VIDEO_SIZED
from standin_batch.manifest.problems import ManifestError, Problem
from standin_batch.media.sizing import fit
from standin_batch.media.video import VideoInfo, VideoInputError
from standin_batch.modes import MODES, Mode
from standin_batch.weights.content import ADAPTER, BASE, EMBEDDER, FACE
from standin_batch.weights.registry import ROWS


class Contents(Protocol):
    """What files hold."""

    def file(self, path: Path) -> str:
        """SHA-256 of a file."""

    def video(self, path: Path) -> VideoInfo:
        """Size, length and rate of a video."""

    def weights(self, model: str, modules: tuple[str, ...]) -> Mapping[str, str]:
        """Digest of each part of a model's weights, and of modules beside it."""


class Seeds(Protocol):
    """What `seed: random` becomes."""

    def __call__(self, name: str, prompt: str, subject: str, place: int) -> int:
        """The seed of a video.

        Args:
            name: of the job in the manifest.
            prompt: its text.
            subject: digest of the identity's image, or nothing.
            place: among the videos of this job with that prompt and subject that draw a seed.
        """


@dataclass(frozen=True)
class Draw:
    """Seeds from one drawn number: each its own, and the same whatever else comes into the manifest or leaves it.

    Attributes:
        number: hexadecimal digits.
    """

    number: str

    def __call__(self, name: str, prompt: str, subject: str, place: int) -> int:
        """The seed of a video, 0 .. 2**32 - 1: ten digits that people can copy."""
        return int(digest([self.number, name, prompt, subject, place])[:8], 16)


def no_seeds(name: str, prompt: str, subject: str, place: int) -> int:
    """Refuse `seed: random`."""
    raise UsageError(f"job {name!r}: this command does not draw seeds", "write a number or a range such as 0..3")


@dataclass(frozen=True)
class Expansion:
    """The jobs of a manifest in its order, each once.

    Attributes:
        jobs: in the order of the manifest.
        repeats: how many combinations were the same video as an earlier one.
        notes: what the user should know of how videos set sizes and lengths.
        drawn: for each name in the manifest the seeds that took the place of `random`, in order.
    """

    jobs: tuple[Job, ...]
    repeats: int
    notes: tuple[str, ...] = ()
    drawn: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def expand(manifest: Manifest, contents: Contents, seeds: Seeds = no_seeds) -> Expansion:
    """Turn `manifest` into jobs. The same video written twice is one job; the first name wins.

    Raises:
        ManifestError: with every video that cannot be read, or has not what its job asks for.
    """
    jobs: dict[str, Job] = {}
    repeats = 0
    drawn: dict[str, tuple[int, ...]] = {}
    sizing = _Sizing(contents)
    for spec in manifest.jobs:
        drawing = _Drawing(spec.name, seeds, contents)
        for variant in spec.variants():
            values = sizing.sized(spec, drawing.seeded(variant.values), variant.explicit)
            if values is None:
                continue
            job = _job(spec.name, values, contents)
            if (first := jobs.get(job.job_id)) is None:
                jobs[job.job_id] = job
                continue
            repeats += 1
            if job.name not in (first.name, *first.also):
                jobs[job.job_id] = replace(first, also=(*first.also, job.name))
        if drawing.drawn:
            drawn[spec.name] = tuple(drawing.drawn)
    sizing.finish()
    return Expansion(tuple(jobs.values()), repeats, tuple(sizing.notes), drawn)


def check_videos(manifest: Manifest, contents: Contents) -> tuple[str, ...]:
    """Look at the videos that set sizes and lengths, without expanding anything else.

    Returns:
        What the user should know of how they do.

    Raises:
        ManifestError: with every video that cannot be read, or has not what its job asks for.
    """
    sizing = _Sizing(contents)
    for spec in manifest.jobs:
        if any(MODES[mode].sized_by is not None for mode in spec.modes):
            for variant in spec.variants():
                sizing.sized(spec, variant.values, variant.explicit)
    sizing.finish()
    return tuple(sizing.notes)


class _Drawing:
    """Puts seeds in the place of `random`, over the videos of one job in their order."""

    def __init__(self, name: str, seeds: Seeds, contents: Contents) -> None:
        self._name, self._seeds, self._contents = name, seeds, contents
        self._places: Counter[tuple[str, str]] = Counter()
        self.drawn: list[int] = []

    def seeded(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """`values` with a number for a seed."""
        if values["seed"] != RANDOM:
            return values
        identity = values["identity"]
        what = values["prompt"].text, "" if identity is None else self._contents.file(identity.image)
        self.drawn.append(self._seeds(self._name, *what, self._places[what]))
        self._places[what] += 1
        return {**values, "seed": self.drawn[-1]}


class _Sizing:
    """Puts a video's own size, length and rate in the place of the defaults', where a mode is sized by a video."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._problems: dict[Problem, None] = {}
        self.notes: dict[str, None] = {}

    def sized(self, spec: JobSpec, values: Mapping[str, Any], explicit: frozenset[str]) -> Mapping[str, Any] | None:
        """`values` with the size, length and rate of the video, less what the job says; None if it is wrong."""
        key = MODES[values["mode"]].sized_by
        if key is None or values.get(key) is None:
            return values
        path = getattr(values[key], "path", values[key])
        try:
            fitted = fit(
                self._contents.video(path),
                **{said: values[said] for said in VIDEO_SIZED if said in explicit},
                max_frames=values["max_frames"],
                max_pixels=values["max_pixels"],
            )
        except VideoInputError as error:
            said = f"job `{spec.name}`, {key} {path.name}: {error.message}"
            self._problems[spec.mark.problem(said, error.hint)] = None
            return None
        for change in fitted.changes:
            self.notes[f"job {spec.name}: {key} {path.name} is {change}"] = None
        return {**values, **{said: getattr(fitted, said) for said in VIDEO_SIZED}}

    def finish(self) -> None:
        """Raise what was found, all of it at once."""
        if self._problems:
            raise ManifestError(self._problems)


def _job(name: str, values: Mapping[str, Any], contents: Contents) -> Job:
    row = ROWS[values["model"]]
    mode = MODES[values["mode"]]
    subject = _subject(values["identity"], contents)
    file_keys = (*mode.video_keys, *mode.image_keys)
    job = Job(
        name=name,
        prompt_name=values["prompt"].name,
        priority=values["priority"],
        retries=values["retries"],
        accept=values["accept"],
        model=row.name,
        mode=mode.name,
        subject=subject,
        loras=tuple(_lora(lora, contents) for lora in values["loras"]),
        prompt=values["prompt"].text,
        negative_prompt=values["negative_prompt"],
        seed=values["seed"],
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
        speed=values["speed"],
        params={key: values[key] for key in mode.params.model_fields if key not in file_keys},
        files=_files(mode, values, contents),
        weights=_weights(contents.weights(row.name, mode.modules), mode, values, subject),
    )
    return replace(job, job_id=job_id(job))


def _subject(identity: Identity | None, contents: Contents) -> Subject | None:
    if identity is None:
        return None
    return Subject(identity.name, identity.image, identity.kind, identity.on_no_face, contents.file(identity.image))


def _lora(lora: WrittenLora, contents: Contents) -> Lora:
    files = {key: InputFile(path, contents.file(path)) for key, path in lora.files.items()}
    return Lora(lora.name, files, float(lora.scale))


def _per_expert(scale: float | tuple[float, float], experts: int) -> tuple[float, ...]:
    scales = scale if isinstance(scale, tuple) else (scale,) * experts
    return tuple(float(value) for value in scales[:experts])


def _files(mode: Mode, values: Mapping[str, Any], contents: Contents) -> dict[str, InputFile]:
    keys = (key for key in (*mode.video_keys, *mode.image_keys) if values.get(key) is not None)
    paths = {key: getattr(values[key], "path", values[key]) for key in keys}
    return {
        key: InputFile(path, contents.file(path), contents.video(path) if key in mode.video_keys else None)
        for key, path in paths.items()
    }


def _weights(
    found: Mapping[str, str], mode: Mode, values: Mapping[str, Any], subject: Subject | None
) -> dict[str, str]:
    """The weights that have a part in the video: without an identity, neither adapter nor face models do."""
    parts = [BASE, *mode.modules]
    if subject is not None:
        parts.append(ADAPTER)
        if subject.kind == "face" or mode.reads_faces(values):
            parts.append(FACE)
        if mode.reads_faces(values):
            parts.append(EMBEDDER)
    return {part: found[part] for part in parts}
