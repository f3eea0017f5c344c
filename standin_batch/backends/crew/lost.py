"""Jobs whose worker has gone: made after all, to be made by another, or taken for what workers die of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from standin_batch.backends.crew.by_record import made
from standin_batch.backends.crew.hearing import Hearing
from standin_batch.backends.crew.news import Gone
from standin_batch.run.conduct import Desk
from standin_batch.run.events import JobFailed, JobRequeued, JobStarted
from standin_batch.run.failure import FailureKind
from standin_batch.run.journal import State
from standin_batch.run.saved import how_far

STRIKES = 3
"""Workers that die of one job with nothing of it saved in between, until it is taken for the cause."""


class Lost:
    """Says what becomes of them.

    Args:
        desk: of the run.
        hearing: tells what becomes of a job for good.
        forced: ids of jobs that are made although they were made before: their records tell nothing.
    """

    def __init__(self, desk: Desk, hearing: Hearing, forced: Collection[str] = ()) -> None:
        self._desk, self._hearing, self._forced = desk, hearing, forced
        self._strikes = Counter[str]()

    def is_over(self, worker: str, job: JobStarted, gone: Gone) -> bool:
        """Tell of a job that a worker had begun; whether it has ended, so that nobody is to make it.

        Raises:
            RunEnded: if as many jobs have failed as may.
        """
        found = None if job.job_id in self._forced else made(self._desk.store.layout, job.job_id, job.label)
        if found is not None:  # the worker could not say so any more
            self._hearing.pass_on(worker, found)
            return True
        if not gone.kind:  # it was to stop, and has noted that itself
            return False
        self._strikes[job.job_id] += 1
        strikes = self._strikes[job.job_id]
        if strikes >= STRIKES:
            self._fail(worker, job, gone, strikes)
            return True
        error = f"{worker} has gone: {gone.why}"
        self._desk.journal.write(job.job_id, job.label, State.REQUEUED, error, kind=gone.kind, attempt=strikes)
        self._desk.emit(JobRequeued(job.job_id, job.label, error, gone.kind, strikes, 0.0))
        return False

    def progresses(self, job_id: str) -> None:
        """Something of a job was saved: whoever dies now does not die of its beginning."""
        self._strikes.pop(job_id, None)

    def note(self, job: JobStarted, why: str) -> None:
        """Note how far a job came that nobody goes on with in this run."""
        told = how_far(self._desk.store.layout, job.job_id)
        self._desk.journal.write(job.job_id, job.label, State.CANCELLED, f"{why}; {told}")

    def _fail(self, worker: str, job: JobStarted, gone: Gone, strikes: int) -> None:
        error, kind = f"{strikes} workers have gone while they made it: {gone.why}", FailureKind.INTERNAL.value
        hint = "look into the logs of the workers: .standin/workers; the next run tries it again"
        self._desk.journal.write(job.job_id, job.label, State.FAILED, error, kind=kind, hint=hint, attempt=strikes)
        self._hearing.pass_on(worker, JobFailed(job.job_id, job.label, error, hint, kind))
