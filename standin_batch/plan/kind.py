"""The kind of a job: what decides how long it takes. Jobs of a kind differ in seed, words and pictures only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from standin_batch.fingerprint import digest
from standin_batch.job import Job
from standin_batch.modes import MODES
from standin_batch.plan.memory import Profile
from standin_batch.plan.state import ModelKey, count_switches, different_texts
from standin_batch.plan.work import job_flop

MARK_DIGITS = 12
"""Of a text in a note: two of a million have the same in one of 500 cases, and that costs an estimate."""


def work_kind(job: Job, memory: str = Profile.RESIDENT.value) -> str:
    """The kind of `job` as it is computed: its work (passes, tiles and references count there) and its shape.

    Args:
        job: any.
        memory: the profile that it is made under; `resident` is not said, as it was not before kinds knew of profiles.
    """
    shape = (job.width, job.height, job.num_frames)
    how = (job.model, job.dtype, job.mode, str(job.speed))
    kind = _named(*how, shape, job.num_inference_steps, job_flop(job), job.subject is not None)
    return kind if memory == Profile.RESIDENT.value else f"{kind} {memory}"


@lru_cache(maxsize=1024)
def _named(
    model: str, dtype: str, mode: str, speed: str, shape: tuple[int, int, int], steps: int, flop: float, identity: bool
) -> str:
    size, who = "x".join(map(str, shape)), "identity" if identity else "nobody"
    return f"{model} {dtype} {speed} {mode} {size} {steps} steps {flop:.6g} FLOP {who}"


def kept_kind(job: Job, scored: bool) -> str:
    """The kind of `job` as its clip is written and looked at."""
    return f"{work_kind(job)} {'scored' if scored else 'unscored'}"


@dataclass(frozen=True)
class Alike:
    """Jobs of a kind, which are written and looked at alike.

    Attributes:
        job: one of them.
        number: how many.
    """

    job: Job
    number: int


def alike(jobs: Iterable[Job]) -> list[Alike]:
    """The same jobs, those of a kind together."""
    found: dict[tuple[object, ...], list[Job]] = {}
    for job in jobs:
        found.setdefault(_what_decides(job), []).append(job)
    return [Alike(some[0], len(some)) for some in found.values()]


def _what_decides(job: Job) -> tuple[object, ...]:
    """What the kinds of a job follow from: quick, as there may be hundreds of thousands."""
    what = (job.model, job.dtype, job.mode, job.width, job.height, job.num_frames, job.num_inference_steps)
    schedule = (job.cfg_scale, job.sigma_shift, job.boundary, job.vae_tiled, job.speed)
    return *what, *schedule, job.subject is None, "reference_image" in job.files, job.accept is None


def besides(jobs: Collection[Job]) -> dict[str, int]:
    """What a run of `jobs` does besides them and their switches, each with its number."""
    return {"clips": len(jobs), "faces": len(_looked_at(jobs))}


def counts_of(jobs: Sequence[Job]) -> dict[str, int]:
    """The same, and what changes hands when they run in this order."""
    return {**besides(jobs), **count_switches(jobs)._asdict()}


def marks_of(jobs: Iterable[Job]) -> dict[ModelKey, tuple[str, ...]]:
    """The texts that each model encodes as notes have them: 12 hexadecimal digits of model, dtype and text."""
    return {
        model: tuple(digest([*model, text])[:MARK_DIGITS] for text in found)
        for model, found in different_texts(jobs).items()
    }


def _looked_at(jobs: Collection[Job]) -> set[str]:
    """What preflight looks at: photographs, and videos that faces go into."""
    photographs = {job.subject.digest for job in jobs if job.subject is not None}
    videos = {
        job.files[key].digest for job in jobs if (key := MODES[job.mode].faces_in) is not None and key in job.files
    }
    return photographs | videos
