"""From jobs and what is known of them to a plan: a pure function.

The dearest thing changes least: base weights, then shape, then identity, then prompt; the manifest's priority stands
above all of that. Within each, things come in the order in which the manifest names them first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import groupby

from standin_batch.job import Job
from standin_batch.plan.plan import (
    Group,
    Plan,
    PlannedJob,
    Reason,
    count_switches,
    identity_key,
    model_key,
    shape_key,
)

Known = Mapping[str, Reason | None]
"""For each job id that is known: None when it is done, else why it has to run again."""


def make_plan(jobs: Sequence[Job], known: Known, *, force: bool = False) -> Plan:
    """Order the jobs that are not done.

    Args:
        jobs: in the order of the manifest, each id once.
        known: what is known of them; an id that is not in it is new.
        force: run also what is done.
    """
    reasons = {job.job_id: known.get(job.job_id, Reason.NEW) for job in jobs}
    if force:
        reasons = {key: reason or Reason.FORCED for key, reason in reasons.items()}
    pending = [job for job in jobs if reasons[job.job_id] is not None]
    ordered = _ordered(pending)
    planned = [PlannedJob(job, reason) for job in ordered if (reason := reasons[job.job_id]) is not None]
    return Plan(
        groups=tuple(_groups(planned)),
        done=tuple(job for job in jobs if reasons[job.job_id] is None),
        switches=count_switches(ordered),
        switches_in_manifest_order=count_switches(pending),
    )


def _ordered(jobs: Sequence[Job]) -> list[Job]:
    model, shape = _rank(jobs, model_key), _rank(jobs, shape_key)
    identity, prompt = _rank(jobs, identity_key), _rank(jobs, lambda job: job.prompt)
    return sorted(jobs, key=lambda job: (-job.priority, model(job), shape(job), identity(job), prompt(job)))


def _rank(jobs: Sequence[Job], key: Callable[[Job], Hashable]) -> Callable[[Job], int]:
    ranks: dict[Hashable, int] = {}
    for job in jobs:
        ranks.setdefault(key(job), len(ranks))
    return lambda job: ranks[key(job)]


def _groups(planned: Sequence[PlannedJob]) -> list[Group]:
    return [
        Group(members[0].job.model, members[0].job.dtype, tuple(members))
        for _, run in groupby(planned, key=lambda item: model_key(item.job))
        if (members := list(run))
    ]
