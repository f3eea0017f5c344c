"""The workers of a crew, for `standin status`: by their posts, their journals and the jobs at work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from standin_batch.output.layout import safe_name
from standin_batch.run.journal import Run
from standin_batch.run.posts import Post

if TYPE_CHECKING:
    from standin_batch.run.status import JobStatus


@dataclass(frozen=True)
class WorkerStatus:
    """A worker at work.

    Attributes:
        name: of the worker.
        host: its machine.
        device: that it works on; empty before it has said.
        since: when it came, in seconds since 1970.
        completed: clips that it has made.
        job_id: of the job at work, the latest begun where several are; empty without one.
        label: how that is called for people.
        step: how many of its steps are saved; None where none are.
        steps: in all; None where none are saved.
    """

    name: str
    host: str
    device: str
    since: float
    completed: int
    job_id: str = ""
    label: str = ""
    step: int | None = None
    steps: int | None = None


def worker_statuses(
    posts: Iterable[Post], alive: Iterable[Run], running: Iterable[JobStatus]
) -> Iterator[WorkerStatus]:
    """One for each post.

    Args:
        posts: of the workers at work.
        alive: runs at work.
        running: jobs at work, the latest begun last.
    """
    runs: dict[str, list[Run]] = {}
    for run in alive:
        if run.worker:
            runs.setdefault(safe_name(run.worker), []).append(run)
    jobs = {safe_name(job.worker): job for job in running if job.worker}
    return (_status(post, runs.get(post.name, ()), jobs.get(post.name)) for post in posts)


def _status(post: Post, runs: Sequence[Run], job: JobStatus | None) -> WorkerStatus:
    return WorkerStatus(
        name=post.name,
        host=runs[-1].host if runs else post.holder.host,
        device=runs[-1].device if runs else "",
        since=datetime.fromisoformat(post.holder.since).timestamp(),
        completed=sum(run.completed for run in runs),
        job_id="" if job is None else job.job_id,
        label="" if job is None else job.label,
        step=None if job is None else job.step,
        steps=None if job is None else job.steps,
    )
