"""Progress on a terminal: bars that stay at the bottom; what ended scrolls above them."""

from __future__ import annotations

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

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
from standin_batch.cli.progress_work import Work
from standin_batch.run.events import (
    Event,
    JobCompleted,
    JobFailed,
    JobReseeded,
    JobStarted,
    JobStep,
    Prepared,
    Preparing,
    RunFinished,
    RunStarted,
    Summarised,
    WorkerLeft,
    WorkerStarted,
)

WHOLE_RUN = 1e6
"""Seconds over which the speed is averaged: jobs take minutes, rich would look at half of one."""


class LiveReporter:
    """A bar for the run, and below it what is done right now, by this process or by each worker of a crew."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("[bold]jobs"),
            BarColumn(bar_width=32),
            TextColumn("{task.fields[ended]}/{task.total:.0f}"),
            TimeElapsedColumn(),
            TextColumn("·"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=err,
            speed_estimate_period=WHOLE_RUN,
        )
        self._work = Work()
        self._all: TaskID | None = None
        self._fractions: dict[str, float] = {}
        self._ended = 0
        self._jobs = JobsAtWork()

    def showing(self) -> Live:
        """The block in which the bars are on the screen."""
        bars = Group(self._bar, self._work)
        return Live(bars, console=err, transient=True, redirect_stdout=False, redirect_stderr=False)

    def __call__(self, event: Event) -> None:
        """Move the bars and print what ended."""
        event = told_safely(event)
        begun = self._jobs.begun(event.job_id) if isinstance(event, (JobCompleted, JobFailed)) else None
        self._jobs.see(event)
        if isinstance(event, RunStarted):
            err.print(started(event))
            self._all = self._bar.add_task("jobs", total=event.to_run, ended=0)
        elif isinstance(event, JobStep):
            self._step(event)
        elif ends(event):
            self._end(event, begun)
        elif isinstance(event, Summarised):
            self._work.hide_all()
            show_summary(event)
        elif isinstance(event, RunFinished):
            self._work.hide_all()
            for saved in self._jobs.told():
                err.print(saved)
            err.print(finished(event))
        elif not self._is_work(event) and (line := note(event, self._jobs.has_crew)) is not None:
            if isinstance(event, JobReseeded):
                self._grow()
            err.print(line)

    def _is_work(self, event: Event) -> bool:
        """Show what is done now; whether the event tells of that, and of nothing else."""
        if isinstance(event, Preparing):
            self._work.show(event.worker, event.what)
        elif isinstance(event, JobStarted):
            self._work.show(event.worker, event.label, event.steps, event.job_id)
        elif isinstance(event, Prepared):
            err.print(prepared(event, indent="  "))
            self._work.rest(event.worker)
        elif isinstance(event, WorkerStarted):
            self._work.rest(event.worker)
            return False
        elif isinstance(event, WorkerLeft):
            self._left(event)
            return False
        else:
            return False
        return True

    def _left(self, event: WorkerLeft) -> None:
        """What it had at work is begun again by another, from where it was saved."""
        self._work.hide(event.worker)
        for job_id in self._jobs.of(event.worker):
            self._fractions.pop(job_id, None)
        self._advance()

    def _grow(self) -> None:
        """One more clip."""
        if self._all is not None:
            task = self._bar.tasks[0]
            self._bar.update(self._all, total=(task.total or 0) + 1)

    def _step(self, event: JobStep) -> None:
        if (job := self._jobs.begun(event.job_id)) is not None:
            self._work.step(job.worker, job.label, event.step, event.steps)
        self._fractions[event.job_id] = event.step / event.steps
        self._advance()

    def _end(self, event: JobCompleted | JobFailed, begun: JobStarted | None) -> None:
        self._ended += 1
        self._fractions.pop(event.job_id, None)
        if begun is not None:
            self._work.ended(begun.worker, event.job_id)
        self._advance()
        err.print(completed(event) if isinstance(event, JobCompleted) else failed(event))

    def _advance(self) -> None:
        """Let the steps of the jobs at work move the bar of the run: a job of the 14B models takes minutes."""
        if self._all is not None:
            done = self._ended + sum(self._fractions.values())
            self._bar.update(self._all, completed=done, ended=self._ended)
