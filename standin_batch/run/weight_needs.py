"""Which weights the jobs of a manifest use."""

from __future__ import annotations

from collections.abc import Iterable

from standin_batch.job import Job
from standin_batch.modes import MODES
from standin_batch.weights.needs import Use
from standin_batch.weights.registry import ROWS


def uses_of(jobs: Iterable[Job]) -> tuple[Use, ...]:
    """What `jobs` use of each row, in the order in which they name them."""
    found: dict[str, list[Job]] = {}
    for job in jobs:
        found.setdefault(job.model, []).append(job)
    return tuple(_use(model, together) for model, together in found.items())


def _use(model: str, jobs: Iterable[Job]) -> Use:
    jobs = list(jobs)
    modes = [MODES[job.mode] for job in jobs]
    subjects = [job.subject for job in jobs if job.subject is not None]
    return Use(
        row=ROWS[model],
        modules=tuple(dict.fromkeys(name for mode in modes for name in mode.modules)),
        adapters=bool(subjects),
        faces=any(subject.kind == "face" for subject in subjects)
        or any(mode.reads_faces(job.params) for mode, job in zip(modes, jobs, strict=True)),
    )
