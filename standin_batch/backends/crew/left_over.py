"""What a run has not come to although it was to: attempts that followed from clips, and whose worker has died."""

from __future__ import annotations

from dataclasses import replace

from standin_batch.attempts import attempt
from standin_batch.plan.plan import Plan
from standin_batch.run.conduct import Desk
from standin_batch.run.events import JobReseeded


def left_over(begun: Plan, now: Plan, desk: Desk) -> Plan | None:
    """What of `now` belongs to the jobs that a run began with and has neither been made nor failed in it.

    Args:
        begun: what the run began with.
        now: the same jobs, planned anew by what is there.
        desk: of the run, which is told of attempts that are new to it.
    """
    ours = {attempt(item.job, 0).job_id for item in begun.to_run}
    over = {*desk.tally.made, *desk.tally.failed}
    groups = []
    for group in now.groups:
        jobs = tuple(item for item in group.jobs if attempt(item.job, 0).job_id in ours and item.job.job_id not in over)
        groups += [replace(group, jobs=jobs)] if jobs else []
    for item in (item for group in groups for item in group.jobs):
        if desk.tally.adds(item.job.job_id):
            desk.emit(JobReseeded(item.job.job_id, item.job.label, item.job.attempt, item.job.seed))
    return Plan(tuple(groups), ()) if groups and not desk.tally.out_of_time else None
