"""Orders: what every worker of a run is told once, before it is given any jobs. They travel to other machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

from standin_batch.face.checks import Finding
from standin_batch.job import Job
from standin_batch.manifest.manifest import ScoreOptions
from standin_batch.output.store import OutputOptions
from standin_batch.plan.peak import Extent
from standin_batch.plan.plan import Group, Plan, PlannedJob
from standin_batch.plan.reason import Reason
from standin_batch.plan.state import ModelKey
from standin_batch.weights.content import BASE


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What every worker of a run is told.

    Attributes:
        version: of this package; a worker with another one does not begin.
        manifest: name of the manifest.
        directory: that relative paths begin at.
        folder: of the output, as all machines see it; None where a worker has to send what it makes.
        home: of the output, as people on the driver's machine know it.
        options: how videos are written.
        bytes_per_pixel: of video for each pixel of each frame; None where that is not known.
        device: that each worker uses, as `--device` has it.
        memory: a memory profile, or `auto`.
        checkpoints: the folder in place of each model's own.
        stage_to: the folder of a worker's own disk that weights are copied to; None to read them where they are.
        every: how often a clip at work is saved, as the manifest writes it.
        scores: what is looked at in finished videos.
        samples: jobs of every kind in the run: they say which weights are needed, and are never made.
        extents: of all jobs: they say how much memory is needed.
        common: texts that several workers need, by the model that encodes them.
        refused: what preflight objects to so much that a job is not made, by its id.
        empty: ids of jobs whose videos show nothing, and would again.
        until: when the run has to end, in seconds since 1970; None without a deadline.
    """

    version: str
    manifest: str
    directory: Path
    folder: Path | None
    home: Path
    options: OutputOptions
    bytes_per_pixel: float | None
    device: str
    memory: str
    checkpoints: Path | None
    stage_to: Path | None
    every: int | str
    scores: ScoreOptions
    samples: tuple[Job, ...]
    extents: frozenset[Extent]
    common: Mapping[ModelKey, tuple[str, ...]] = field(default_factory=dict)
    refused: Mapping[str, Finding] = field(default_factory=dict)
    empty: frozenset[str] = frozenset()
    until: float | None = None

    def plan_for(self, base: tuple[str, str]) -> Plan:
        """The samples on one base, as a plan that says which weights they need.

        Args:
            base: row of the registry, and content of the base weights.
        """
        wanted = (job for job in self.samples if (job.model, job.weights[BASE]) == base)
        return plan_of(wanted)


def plan_of(jobs: Iterable[Job]) -> Plan:
    """Jobs as a plan, in their order."""
    together = groupby(jobs, key=lambda job: (job.model, job.dtype, job.weights[BASE]))
    groups = (Group(*key, tuple(PlannedJob(job, Reason.NEW) for job in members)) for key, members in together)
    return Plan(tuple(groups), ())


def samples_of(jobs: Iterable[Job]) -> Iterator[Job]:
    """One job of each kind, by what decides which weights it needs; without LoRAs, which the driver has looked at."""
    seen = set[tuple[object, ...]]()
    for job in jobs:
        subject = None if job.subject is None else job.subject.kind
        asks = None if job.accept is None else str(job.accept)
        key = (job.model, job.dtype, job.weights[BASE], job.mode, subject, asks, job.speed, repr(job.params))
        if key not in seen:
            seen.add(key)
            yield replace(job, loras=())
