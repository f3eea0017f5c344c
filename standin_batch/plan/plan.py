"""The plan: jobs in the order in which they run, in groups that share what is dearest to change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

from standin_batch.attempts import attempt
from standin_batch.job import Job
from standin_batch.modes import MODES
from standin_batch.plan.reason import Reason
from standin_batch.plan.state import Switches, count_switches

__all__ = ["Group", "Plan", "PlannedJob", "Reason", "Switches", "count_switches"]


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A job that would run.

    Attributes:
        job: the job.
        reason: why it would run.
        position: its place among the manifest's jobs.
    """

    job: Job
    reason: Reason
    position: int = 0


@dataclass(frozen=True)
class Group:
    """Consecutive jobs that run on the same loaded weights.

    Attributes:
        model: row of the registry.
        dtype: of the computation.
        base: content of the base weights.
        jobs: in the order in which they run.
    """

    model: str
    dtype: str
    base: str
    jobs: tuple[PlannedJob, ...]


@dataclass(frozen=True)
class Plan:
    """What a run does.

    Attributes:
        groups: in the order in which they run.
        done: jobs whose record and video exist.
        failed_before: jobs that failed by their own content, and would again: they do not run.
        not_accepted: jobs of whose clips none was accepted, with no attempt left.
    """

    groups: tuple[Group, ...]
    done: tuple[Job, ...]
    failed_before: tuple[Job, ...] = ()
    not_accepted: tuple[Job, ...] = ()

    @cached_property
    def modules(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """The modules that the jobs on each base need beside it, by row and base."""
        found: dict[tuple[str, str], dict[str, None]] = {}
        for group in self.groups:
            needed = found.setdefault((group.model, group.base), {})
            needed |= {name: None for item in group.jobs for name in MODES[item.job.mode].modules}
        return {key: tuple(names) for key, names in found.items()}

    @cached_property
    def to_run(self) -> tuple[PlannedJob, ...]:
        """Every job that would run, in order."""
        return tuple(planned for group in self.groups for planned in group.jobs)

    @cached_property
    def as_written(self) -> tuple[Job, ...]:
        """The jobs that would run in the order of the manifest, higher priorities first."""
        written = sorted(self.to_run, key=lambda item: (-item.job.priority, item.position))
        return tuple(item.job for item in written)

    @cached_property
    def switches(self) -> Switches:
        """What changes hands in this order."""
        return count_switches([item.job for item in self.to_run])

    @cached_property
    def switches_in_manifest_order(self) -> Switches:
        """What would change hands if the same jobs ran as they are written, higher priorities first."""
        return count_switches(self.as_written)

    def without(self, done: Collection[str]) -> Plan:
        """The same plan without the jobs of these ids, which are done by now."""
        groups = (
            replace(group, jobs=tuple(item for item in group.jobs if item.job.job_id not in done))
            for group in self.groups
        )
        now = tuple(item.job for item in self.to_run if item.job.job_id in done)
        return replace(self, groups=tuple(group for group in groups if group.jobs), done=(*self.done, *now))

    def limited(self, limit: int | None) -> Plan:
        """The same plan, ended after `limit` jobs; the attempts of one job are one."""
        if limit is None or limit >= len(self.to_run):
            return self
        groups, taken = [], dict[str, None]()
        for group in self.groups:
            kept = []
            for item in group.jobs:
                first = attempt(item.job, 0).job_id
                if first in taken or len(taken) < limit:
                    taken[first] = None
                    kept.append(item)
            if kept:
                groups.append(replace(group, jobs=tuple(kept)))
        return replace(self, groups=tuple(groups))

    def only(self, firsts: Collection[str]) -> Plan:
        """The same plan, to run nothing but the jobs whose first attempts have these ids."""
        wanted = (
            (group, [item for item in group.jobs if attempt(item.job, 0).job_id in firsts]) for group in self.groups
        )
        return replace(self, groups=tuple(replace(group, jobs=tuple(jobs)) for group, jobs in wanted if jobs))

    @property
    def total(self) -> int:
        """Jobs of the manifest, done or not."""
        return len(self.done) + len(self.failed_before) + len(self.not_accepted) + len(self.to_run)
