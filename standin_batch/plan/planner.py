"""From jobs and what is known of them to a plan: a pure function.

The manifest's priority stands above all; within it, states follow each other at the least cost (`order`), the jobs of
a state are together, within it those with the same input files, and within them those of a prompt, as the manifest
names them first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby

from standin_batch.job import Job
from standin_batch.plan.cost import CostModel
from standin_batch.plan.order import order_states
from standin_batch.plan.plan import Group, Plan, PlannedJob
from standin_batch.plan.reason import Reason
from standin_batch.plan.state import State, state_of

Files = tuple[tuple[str, str], ...]

Known = Mapping[str, Reason | None]
"""For each job id that is known: None when it is done, else why it has to run again."""


def make_plan(
    jobs: Sequence[Job],
    known: Known,
    *,
    lasting: Collection[str] = (),
    force: bool = False,
    costs: CostModel | None = None,
) -> Plan:
    """Order the jobs that are not done.

    Args:
        jobs: in the order of the manifest, each id once.
        known: what is known of them; an id that is not in it is new.
        lasting: ids of jobs that failed by their own content: they are left out.
        force: run also what is done or left out.
        costs: of switches; the assumed ones unless given.
    """
    done, left_out, pending = [], [], []
    for position, job in enumerate(jobs):
        reason = known.get(job.job_id, Reason.NEW) or (Reason.FORCED if force else None)
        if reason is None:
            done.append(job)
        elif job.job_id in lasting and not force:
            left_out.append(job)
        else:
            pending.append(PlannedJob(job, reason, position))
    ordered = _ordered(pending, costs or CostModel())
    return Plan(groups=tuple(grouped(ordered)), done=tuple(done), failed_before=tuple(left_out))


def _ordered(pending: Iterable[PlannedJob], costs: CostModel) -> list[PlannedJob]:
    by_priority: dict[int, dict[State, list[PlannedJob]]] = {}
    for item in pending:
        by_priority.setdefault(item.job.priority, {}).setdefault(state_of(item.job), []).append(item)
    levels = [states for _, states in sorted(by_priority.items(), reverse=True)]
    ordered = order_states([list(states) for states in levels], costs)
    return [
        item for states, order in zip(levels, ordered, strict=True) for key in order for item in _prompts(states[key])
    ]


def _prompts(items: Iterable[PlannedJob]) -> list[PlannedJob]:
    """The same jobs, those with the same input files together, and among them those of one prompt."""
    found: dict[Files, dict[str, list[PlannedJob]]] = {}
    for item in items:
        files = tuple((key, file.digest) for key, file in item.job.files.items())
        found.setdefault(files, {}).setdefault(item.job.prompt, []).append(item)
    return [item for prompts in found.values() for together in prompts.values() for item in together]


def grouped(ordered: Sequence[PlannedJob]) -> list[Group]:
    """Jobs that follow each other on the same base weights, as groups."""
    runs = groupby(ordered, key=lambda item: (item.job.model, item.job.dtype, state_of(item.job).base))
    return [Group(model, dtype, base, tuple(members)) for (model, dtype, base), members in runs]
