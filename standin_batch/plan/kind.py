"""The kind of a job: what decides how long it takes. Jobs of a kind differ in seed, words and pictures only."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from standin_batch.job import Job
from standin_batch.modes import MODES
from standin_batch.plan.state import count_switches
from standin_batch.plan.work import job_flop


def work_kind(job: Job) -> str:
    """The kind of `job` as it is computed: its work (passes, tiles and references count there) and its shape."""
    shape = (job.width, job.height, job.num_frames)
    return _named(
        job.model, job.dtype, job.mode, shape, job.num_inference_steps, job_flop(job), job.subject is not None
    )


@lru_cache(maxsize=1024)
def _named(
    model: str, dtype: str, mode: str, shape: tuple[int, int, int], steps: int, flop: float, identity: bool
) -> str:
    size, who = "x".join(map(str, shape)), "identity" if identity else "nobody"
    return f"{model} {dtype} {mode} {size} {steps} steps {flop:.6g} FLOP {who}"


def kept_kind(job: Job, scored: bool) -> str:
    """The kind of `job` as its clip is written and looked at."""
    return f"{work_kind(job)} {'scored' if scored else 'unscored'}"


def counts_of(jobs: Collection[Job]) -> dict[str, int]:
    """What a run of `jobs`, in this order, does besides them, each with its number."""
    switches = count_switches(list(jobs))
    return {
        "clips": len(jobs),
        "prompts": switches.prompts,
        "loras": switches.loras,
        "identities": switches.identities,
        "faces": len(_looked_at(jobs)),
    }


def _looked_at(jobs: Collection[Job]) -> set[str]:
    """What preflight looks at: photographs, and videos that faces go into."""
    photographs = {job.subject.digest for job in jobs if job.subject is not None}
    videos = {
        job.files[key].digest for job in jobs if (key := MODES[job.mode].faces_in) is not None and key in job.files
    }
    return photographs | videos
