"""What becomes of jobs: counted, told, and written into the journal. The writer's thread comes here too."""

from __future__ import annotations

import logging
import shlex
from dataclasses import dataclass, field
from threading import Lock

from standin_batch.attempts import attempt
from standin_batch.errors import StandinError
from standin_batch.job import Job
from standin_batch.output.layout import OutputLayout
from standin_batch.run.events import (
    JobCompleted,
    JobFailed,
    JobRejected,
    JobRequeued,
    JobReseeded,
    JobResumed,
    JobStarted,
    Listener,
)
from standin_batch.run.failure import SEEDED, FailureKind
from standin_batch.run.job_queue import Turn
from standin_batch.run.journal import Journal, State
from standin_batch.run.judging import Judged
from standin_batch.run.log import about
from standin_batch.run.saved import how_far
from standin_batch.run.tally import Tally
from standin_batch.scores.table import Scores

logger = logging.getLogger(__name__)


class RunEnded(Exception):
    """The run ends before its end.

    Attributes:
        why: the kind of failure that ends runs, or `max_failures`.
        told: what the user should know of it; empty where a failed job has said it.
    """

    def __init__(self, why: str, told: str = "") -> None:
        super().__init__(told or why)
        self.why, self.told = why, told


@dataclass
class Outcomes:
    """The jobs of one executor.

    Attributes:
        layout: of the output folder.
        journal: of this process.
        tally: counts what is told.
        emit: is told, the tally first.
        max_failures: that end the run; None for no end.
        empty: ids of jobs, of this run and earlier ones, whose videos show nothing: another seed may.
    """

    layout: OutputLayout
    journal: Journal
    tally: Tally
    emit: Listener
    max_failures: int | None = None
    empty: set[str] = field(default_factory=set)
    _at_work: dict[str, Turn] = field(default_factory=dict)
    _told_of: set[str] = field(default_factory=set)
    _counting: Lock = field(default_factory=Lock)

    def begins(self, turn: Turn, step: int = 0) -> None:
        """A job is at work, from this step on."""
        job = turn.job
        self._at_work[job.job_id] = turn
        self.journal.write(job.job_id, job.label, State.RUNNING, attempt=turn.attempt)
        self.emit(JobStarted(job.job_id, job.label, job.num_inference_steps))
        if step:
            self.emit(JobResumed(job.job_id, job.label, step, job.num_inference_steps))

    def is_done(self, job: Job, video: str, seconds: float, scores: Scores, judged: Judged | None) -> None:
        """The record of a job is on disk; `judged` says what its job makes of it, if that asks for anything."""
        turn = self._at_work.pop(job.job_id, Turn(job))
        self.journal.write(job.job_id, job.label, State.COMPLETED, attempt=turn.attempt)
        accepted = None if judged is None else judged.accepted(job.attempt)
        self.emit(JobCompleted(job.job_id, job.label, video, seconds, scores, accepted))
        if judged is not None:
            self.is_judged(judged)

    def is_judged(self, judged: Judged) -> None:
        """Tell of clips of this run that are rejected, and of a job that has no attempt left."""
        for number in judged.decision.rejected:
            each = attempt(judged.job, number)
            if self._is_news(each.job_id, each.job_id in self.tally.made):
                self.emit(JobRejected(each.job_id, each.label, judged.why_not(number)))
        if judged.decision.exhausted and self._is_news(f"none of {judged.job.job_id}", True):
            self._is_not_accepted(judged)

    def _is_news(self, what: str, is_ours: bool) -> bool:
        """Whether something is to be told: once, and of this run. Two threads come here."""
        with self._counting:
            if not is_ours or what in self._told_of:
                return False
            self._told_of.add(what)
            return True

    def _is_not_accepted(self, judged: Judged) -> None:
        job, error, kind = judged.job, judged.error, FailureKind.NOT_ACCEPTED.value
        self.journal.write(job.job_id, job.label, State.FAILED, error.message, kind=kind, hint=error.hint)
        self.emit(JobFailed(job.job_id, job.label, error.message, error.hint, kind))

    def adds(self, job: Job) -> bool:
        """One more attempt is wanted; whether it is not among the jobs of this run yet."""
        is_new = self.tally.adds(job.job_id)
        if is_new:
            self.emit(JobReseeded(job.job_id, job.label, job.attempt, job.seed))
        return is_new

    def is_requeued(self, turn: Turn, error: Exception, kind: FailureKind, after: float, memory: str = "") -> None:
        """A job is to be tried again."""
        job, (message, hint) = turn.job, self._told(turn, error)
        self._log(turn, error, kind)
        self.journal.write(
            job.job_id, job.label, State.REQUEUED, message, kind=kind.value, hint=hint, attempt=turn.attempt
        )
        self.emit(JobRequeued(job.job_id, job.label, message, kind.value, turn.attempt, after, memory))

    def has_failed(self, turn: Turn, error: Exception, kind: FailureKind) -> None:
        """A job has failed.

        Raises:
            RunEnded: if these are as many as may fail.
        """
        job, (message, hint) = turn.job, self._told(turn, error)
        self._log(turn, error, kind)
        if kind in SEEDED:
            self.empty.add(job.job_id)
        self._at_work.pop(job.job_id, None)
        self.journal.write(
            job.job_id, job.label, State.FAILED, message, kind=kind.value, hint=hint, attempt=turn.attempt
        )
        self.emit(JobFailed(job.job_id, job.label, message, hint, kind.value))
        if self.max_failures is not None and len(self.tally.failed) >= self.max_failures:
            raise RunEnded("max_failures")

    def cancel(self, why: str) -> None:
        """Note how far the jobs at work came."""
        for turn in list(self._at_work.values()):
            told = how_far(self.layout, turn.job.job_id)
            self.journal.write(turn.job.job_id, turn.job.label, State.CANCELLED, f"{why}; {told}", attempt=turn.attempt)

    def _log(self, turn: Turn, error: Exception, kind: FailureKind) -> None:
        told = "attempt %d of job %s (%s) failed: %s"
        with about(turn.job):
            logger.error(told, turn.attempt, turn.job.job_id, turn.job.label, kind.value, exc_info=error)

    def _told(self, turn: Turn, error: Exception) -> tuple[str, str]:
        if isinstance(error, StandinError):
            return error.message, error.hint
        where = f"{shlex.quote(str(self.layout.folder))} {turn.job.job_id}"
        return f"{type(error).__name__}: {error}", f"standin why {where} --log  # shows the traceback"
