"""The plan: jobs in the order in which they run, in groups that share what is dearest to change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from standin_batch.job import Job


class Reason(Enum):
    """Why a job would run."""

    NEW = "new"
    FAILED_BEFORE = "failed before"
    OUTPUT_MISSING = "output missing"
    FORCED = "forced"


@dataclass(frozen=True)
class PlannedJob:
    """A job that would run, and why."""

    job: Job
    reason: Reason


@dataclass(frozen=True)
class Switches:
    """How often something has to change hands in an order of jobs; the first use counts too.

    Attributes:
        models: base weights loaded.
        shapes: changes of size or length.
        identities: keys and values computed.
        prompts: texts encoded.
    """

    models: int = 0
    shapes: int = 0
    identities: int = 0
    prompts: int = 0


@dataclass(frozen=True)
class Group:
    """Consecutive jobs that run on the same loaded weights."""

    model: str
    dtype: str
    jobs: tuple[PlannedJob, ...]


@dataclass(frozen=True)
class Plan:
    """What a run does.

    Attributes:
        groups: in the order in which they run.
        done: jobs whose record and video exist.
        switches: in this order.
        switches_in_manifest_order: what the same jobs would cost in the order they were written.
    """

    groups: tuple[Group, ...]
    done: tuple[Job, ...]
    switches: Switches
    switches_in_manifest_order: Switches

    @cached_property
    def to_run(self) -> tuple[PlannedJob, ...]:
        """Every job that would run, in order."""
        return tuple(planned for group in self.groups for planned in group.jobs)

    def limited(self, limit: int | None) -> Plan:
        """The same plan, ended after `limit` jobs."""
        if limit is None or limit >= len(self.to_run):
            return self
        groups, left = [], limit
        for group in self.groups:
            if left > 0:
                groups.append(replace(group, jobs=group.jobs[:left]))
                left -= len(groups[-1].jobs)
        switches = count_switches(planned.job for group in groups for planned in group.jobs)
        return replace(self, groups=tuple(groups), switches=switches)

    @property
    def total(self) -> int:
        """Jobs of the manifest, done or not."""
        return len(self.done) + len(self.to_run)


def count_switches(jobs: Iterable[Job]) -> Switches:
    """What has to change from job to job when they run in this order."""
    models = shapes = identities = 0
    texts: set[tuple[object, str]] = set()
    model: object = None
    shape: object = None
    identity: object = None
    for job in jobs:
        if model_key(job) != model:
            model, shape, identity = model_key(job), None, None
            models += 1
        if shape_key(job) != shape:
            shape = shape_key(job)
            shapes += 1
        if identity_key(job) != identity:
            identity = identity_key(job)
            identities += identity is not None
        texts.add((model, job.prompt))
    return Switches(models, shapes, identities, len(texts))


def model_key(job: Job) -> tuple[object, ...]:
    """What has to be loaded for `job`."""
    return (job.model, job.dtype)


def shape_key(job: Job) -> tuple[object, ...]:
    """What compiled kernels and memory depend on."""
    return (job.width, job.height, job.num_frames)


def identity_key(job: Job) -> tuple[object, ...] | None:
    """What the identity's keys and values depend on, besides the weights."""
    return None if job.subject is None else (job.subject.digest, job.subject.kind, job.grid)
