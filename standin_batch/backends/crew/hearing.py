"""What workers tell of jobs becomes the run's own: told with the worker's name, counted and shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

from standin_batch.run.conduct import Desk
from standin_batch.run.events import Event, JobCompleted, JobFailed
from standin_batch.run.failure import FailureKind
from standin_batch.run.outcomes import RunEnded

WORKERS_FAULTS = frozenset((FailureKind.DEVICE.value, FailureKind.MACHINE.value))
"""Failures of jobs that lie in where they were made: the worker ends by them, and says so itself."""


@dataclass(frozen=True)
class Hearing:
    """Passes on what workers tell.

    Attributes:
        desk: of the run.
        max_failures: failed jobs that end the run; None for no end.
    """

    desk: Desk
    max_failures: int | None

    def pass_on(self, worker: str, event: Event) -> None:
        """Tell the run of an event, unless it is the worker's own affair.

        Raises:
            RunEnded: if the disk is full, or as many jobs have failed as may.
        """
        if is_workers_fault(event):
            return
        self.desk.emit(of_worker(event, worker))
        if isinstance(event, JobCompleted):
            self.desk.refresh()
        elif isinstance(event, JobFailed):
            self._check(event)

    def _check(self, event: JobFailed) -> None:
        if event.kind == FailureKind.DISK_FULL.value:
            raise RunEnded(event.kind)
        if self.max_failures is not None and len(self.desk.tally.failed) >= self.max_failures:
            raise RunEnded("max_failures")


def is_workers_fault(event: Event) -> bool:
    """Whether a job has failed by where it was made: it is to be made elsewhere."""
    return isinstance(event, JobFailed) and event.kind in WORKERS_FAULTS


def of_worker(event: Event, worker: str) -> Event:
    """The same event, telling whose it is, where it can."""
    return replace(cast(Any, event), worker=worker) if hasattr(event, "worker") else event
