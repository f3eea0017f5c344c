"""What of a shard is still to do when Slurm starts its task, for the first time or again: by records, and by what the
workers before have told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from standin_batch.attempts import attempt
from standin_batch.backends.crew.by_record import made
from standin_batch.backends.crew.news import News, Told
from standin_batch.job import Job
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import has_video, read_record
from standin_batch.plan.plan import Group, Plan, PlannedJob
from standin_batch.plan.reason import Reason
from standin_batch.run.events import JobCompleted, JobFailed
from standin_batch.run.failure import SEEDED
from standin_batch.run.standing import standing


def still_to_do(shard: Plan, layout: OutputLayout, told: Iterable[News], empty: frozenset[str]) -> Plan:
    """The same shard without the jobs that are made, or have failed; with the attempts that follow from its clips.

    Args:
        shard: as it was submitted.
        layout: of the output folder.
        told: by the workers that had it before.
        empty: ids of jobs whose videos show nothing, and would again.
    """
    events = [news.event for news in told if isinstance(news, Told)]
    failed = [event for event in events if isinstance(event, JobFailed)]
    over = {event.job_id for event in events if isinstance(event, JobCompleted)} | {each.job_id for each in failed}
    empty = empty | {each.job_id for each in failed if each.kind in {kind.value for kind in SEEDED}}
    groups = (replace(group, jobs=tuple(_wanted(group, layout, over, empty))) for group in shard.groups)
    return Plan(tuple(group for group in groups if group.jobs), ())


def unscored(shard: Plan, layout: OutputLayout, scored: bool) -> list[Job]:
    """Clips of a shard that a worker before has made and could not look at any more; not those that are forced.

    Args:
        shard: as it was submitted.
        layout: of the output folder.
        scored: whether all clips are looked at, and not only those of jobs that ask something of their scores.
    """
    jobs = [item.job for item in shard.to_run if item.reason != Reason.FORCED]
    asking = {attempt(job, 0).job_id: attempt(job, 0) for job in jobs if job.accept is not None}
    plain = [job for job in jobs if scored and job.accept is None and _is_unscored(layout, job.job_id)]
    return [*plain, *standing(asking.values(), layout).unscored]


def _is_unscored(layout: OutputLayout, job_id: str) -> bool:
    record = read_record(layout, job_id)
    return record is not None and has_video(layout, record) and not record.get("scores")


def _wanted(group: Group, layout: OutputLayout, over: set[str], empty: frozenset[str]) -> Iterator[PlannedJob]:
    asked = set[str]()
    for item in group.jobs:
        if item.reason == Reason.FORCED:
            yield from () if item.job.job_id in over else (item,)
        elif item.job.accept is None:
            yield from _not_done([item], layout, over)
        elif (first := attempt(item.job, 0)).job_id not in asked:
            asked.add(first.job_id)
            attempts = standing([first], layout, empty).jobs
            yield from _not_done([replace(item, job=job) for job in attempts], layout, over)


def _not_done(items: Iterable[PlannedJob], layout: OutputLayout, over: set[str]) -> Iterator[PlannedJob]:
    for item in items:
        if item.job.job_id not in over and made(layout, item.job.job_id) is None:
            yield item
