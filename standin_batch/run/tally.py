"""The tally: what a run amounts to, counted from its events, wherever its jobs are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from standin_batch.output.failed import FailedJob
from standin_batch.run.done import NONE_ACCEPTED
from standin_batch.run.events import Event, JobCompleted, JobFailed, JobRejected, JobReseeded, Listener
from standin_batch.run.failure import FailureKind


@dataclass
class Tally:
    """The jobs of one run. Several threads tell of them.

    Attributes:
        planned: ids of the jobs that this run is to make, attempts that were added included.
        made: ids of the clips of this run, in the order in which they were.
        failed: ids of the jobs that failed.
        rejected: ids of clips of this run that their jobs do not take.
        failures: of this run.
        out_of_time: whether a job was left, as the deadline is near.
    """

    planned: set[str] = field(default_factory=set)
    made: dict[str, None] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    rejected: set[str] = field(default_factory=set)
    failures: list[FailedJob] = field(default_factory=list)
    out_of_time: bool = False
    _counting: Lock = field(default_factory=Lock, repr=False)

    @property
    def remaining(self) -> int:
        """Jobs that the run is still to make."""
        return len(self.planned - self.made.keys() - self.failed)

    def adds(self, job_id: str) -> bool:
        """One more attempt is wanted; whether it is not among the jobs of this run yet."""
        with self._counting:
            is_new = job_id not in self.planned
            self.planned.add(job_id)
        return is_new

    def listening(self, emit: Listener) -> Listener:
        """`emit`, but what is told is counted first."""

        def tell(event: Event) -> None:
            self.see(event)
            emit(event)

        return tell

    def see(self, event: Event) -> None:
        """Count what an event tells."""
        with self._counting:
            if isinstance(event, JobCompleted):
                self.made[event.job_id] = None
            elif isinstance(event, JobFailed):
                self._failed(event)
            elif isinstance(event, JobRejected):
                self.rejected.add(event.job_id)
            elif isinstance(event, JobReseeded):
                self.planned.add(event.job_id)

    def _failed(self, event: JobFailed) -> None:
        """That no clip of a job was accepted is no failure of one: they were made."""
        none_accepted = event.kind == FailureKind.NOT_ACCEPTED.value
        if not none_accepted:
            self.failed.add(event.job_id)
        told = NONE_ACCEPTED if none_accepted else event.error
        self.failures.append(FailedJob(event.job_id, event.label, told, event.kind, event.hint))
