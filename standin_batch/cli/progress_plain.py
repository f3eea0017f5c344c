"""Progress without a terminal: a line for each thing that ended."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext

from rich.text import Text

from standin_batch.cli.console import err
from standin_batch.cli.progress_jobs import JobsAtWork
from standin_batch.cli.progress_lines import (
    completed,
    ends,
    failed,
    finished,
    note,
    prepared,
    show_summary,
    started,
    told_safely,
)
from standin_batch.run.events import (
    Event,
    JobCompleted,
    JobReseeded,
    JobStep,
    Prepared,
    RunFinished,
    RunStarted,
    Summarised,
)

PLAIN_STEP_SECONDS = 30.0
"""A running job says where it stands this often."""


class PlainReporter:
    """A line for each thing that ended; for logs and pipes."""

    def __init__(self) -> None:
        self._total = self._ended = 0
        self._said = time.monotonic()
        self._jobs = JobsAtWork()

    def showing(self) -> AbstractContextManager[object]:
        """Nothing to set up."""
        return nullcontext()

    def __call__(self, event: Event) -> None:
        """Print what is worth a line."""
        if isinstance(event, JobStep) and (time.monotonic() - self._said < PLAIN_STEP_SECONDS):
            return
        event = told_safely(event)
        self._jobs.see(event)
        if isinstance(event, RunFinished):
            for saved in self._jobs.told():
                err.print(saved)
        if isinstance(event, Summarised):
            show_summary(event)
        line = self._line(event)
        if line is not None:
            self._said = time.monotonic()
            err.print(line)

    def _line(self, event: Event) -> Text | None:
        if isinstance(event, RunStarted):
            self._total = event.to_run
            return started(event)
        if isinstance(event, Prepared):
            return prepared(event)
        if isinstance(event, JobStep):
            return self._step(event)
        if isinstance(event, JobReseeded):
            self._total += 1
        if ends(event):
            self._ended += 1
            shown = completed(event) if isinstance(event, JobCompleted) else failed(event)
            return Text.assemble(f"[{self._ended}/{self._total}] ", shown)
        if isinstance(event, RunFinished):
            return finished(event)
        return note(event, self._jobs.has_crew)

    def _step(self, event: JobStep) -> Text:
        """Where a job stands; of which worker, and which job, where several are at work."""
        job, where = self._jobs.begun(event.job_id), f"step {event.step}/{event.steps}"
        return Text(f"  {where}" if job is None or not job.worker else f"  {job.worker}: {where} of {job.label}")
