"""What a person sees during a run: live bars on a terminal, lines elsewhere, JSON lines for programs, or nothing."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from typing import Any, Protocol, TypeGuard, TypeVar

from rich.console import Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from standin_batch.cli.console import count, duration, err, print_json, printable
from standin_batch.cli.profile import table_of
from standin_batch.cli.summary import drawn
from standin_batch.run.events import (
    Event,
    Finishing,
    JobCompleted,
    JobFailed,
    JobRejected,
    JobRequeued,
    JobReseeded,
    JobResumed,
    JobSaved,
    JobStarted,
    JobStep,
    Prepared,
    Preparing,
    Profiled,
    RunFinished,
    RunStarted,
    Stopping,
    Summarised,
    Warned,
)

WHOLE_RUN = 1e6
"""Seconds over which the speed is averaged: jobs take minutes, rich would look at half of one."""

PLAIN_STEP_SECONDS = 30.0
"""Without a terminal, a running job says where it stands this often."""


NOT_ACCEPTED = "not_accepted"
GALLERY = "gallery.html"
SHOWN_SCORES = {"face_similarity": "face"}
"""Scores that stand behind a finished clip, and what they are called there."""


class Reporter(Protocol):
    """Something that shows events; used as the context of a run."""

    def __call__(self, event: Event) -> None:
        """Show one event."""

    def showing(self) -> AbstractContextManager[object]:
        """The block within which events are shown."""


def reporter(as_json: bool, quiet: bool, profile: bool = False) -> Reporter:
    """The one that fits; with `profile` it also shows where the time went."""
    if as_json:
        return JsonReporter()
    usual = QuietReporter() if quiet else LiveReporter() if err.is_terminal else PlainReporter()
    return ProfilingReporter(usual) if profile else usual


def warn_of(event: Event) -> None:
    """Show a warning, for commands that are no runs; nothing else is worth a line there."""
    if isinstance(event, Warned):
        err.print(_warned(_printable(event)))


class JsonReporter:
    """One JSON object for each event on standard output: `{"event": "JobCompleted", "time": ..., ...}`."""

    def showing(self) -> AbstractContextManager[object]:
        """Nothing to set up."""
        return nullcontext()

    def __call__(self, event: Event) -> None:
        """Print the event."""
        try:
            self._print(event)
        except BrokenPipeError:
            # Nobody reads any more: that is a wish to stop, and no job's fault.
            raise KeyboardInterrupt from None
        except OSError:
            return  # a terminal that was closed

    def _print(self, event: Event) -> None:
        print_json({"event": type(event).__name__, "time": round(time.time(), 3), **asdict(event)})


class QuietReporter:
    """Failures only."""

    def showing(self) -> AbstractContextManager[object]:
        """Nothing to set up."""
        return nullcontext()

    def __call__(self, event: Event) -> None:
        """Show the event if it is a failure."""
        if isinstance(event, JobFailed):
            err.print(_failed(_printable(event)))


class ProfilingReporter:
    """Another reporter, and a table of where the time went."""

    def __init__(self, usual: Reporter) -> None:
        self._usual = usual

    def showing(self) -> AbstractContextManager[object]:
        """What the other sets up."""
        return self._usual.showing()

    def __call__(self, event: Event) -> None:
        """Show the event."""
        if isinstance(event, Profiled):
            err.print(table_of(event))
        else:
            self._usual(event)


class PlainReporter:
    """A line for each thing that ended; for logs and pipes."""

    def __init__(self) -> None:
        self._total = self._ended = 0
        self._said = time.monotonic()
        self._saves = Saves()

    def showing(self) -> AbstractContextManager[object]:
        """Nothing to set up."""
        return nullcontext()

    def __call__(self, event: Event) -> None:
        """Print what is worth a line."""
        if isinstance(event, JobStep) and (time.monotonic() - self._said < PLAIN_STEP_SECONDS):
            return
        event = _printable(event)
        self._saves.see(event)
        if isinstance(event, RunFinished):
            for saved in self._saves.told():
                err.print(saved)
        if isinstance(event, Summarised):
            _show_summary(event)
        line = self._line(event)
        if line is not None:
            self._said = time.monotonic()
            err.print(line)

    def _line(self, event: Event) -> Text | None:
        if isinstance(event, RunStarted):
            self._total = event.to_run
            return _started(event)
        if isinstance(event, Prepared):
            return Text(f"{event.what}: {duration(event.seconds)}")
        if isinstance(event, JobStep):
            return Text(f"  step {event.step}/{event.steps}")
        if isinstance(event, JobReseeded):
            self._total += 1
        if _ends(event):
            self._ended += 1
            shown = _completed(event) if isinstance(event, JobCompleted) else _failed(event)
            return Text.assemble(f"[{self._ended}/{self._total}] ", shown)
        if isinstance(event, RunFinished):
            return _finished(event)
        return _note(event)


class LiveReporter:
    """Two bars that stay at the bottom, for the run and for the job at work; what ended scrolls above them."""

    def __init__(self) -> None:
        self._jobs = Progress(
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
        self._work = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            TextColumn("[dim]{task.fields[detail]}"),
            console=err,
        )
        self._all: TaskID | None = None
        self._now: TaskID | None = None
        self._labels: dict[str, str] = {}
        self._fractions: dict[str, float] = {}
        self._ended = 0
        self._saves = Saves()

    def showing(self) -> AbstractContextManager[object]:
        """The block in which the bars are on the screen."""
        bars = Group(self._jobs, self._work)
        return Live(bars, console=err, transient=True, redirect_stdout=False, redirect_stderr=False)

    def __call__(self, event: Event) -> None:
        """Move the bars and print what ended."""
        event = _printable(event)
        self._saves.see(event)
        if isinstance(event, RunStarted):
            err.print(_started(event))
            self._all = self._jobs.add_task("jobs", total=event.to_run, ended=0)
        elif isinstance(event, Preparing):
            self._show(event.what, None)
        elif isinstance(event, Prepared):
            err.print(Text(f"  {event.what}: {duration(event.seconds)}", style="dim"))
            self._hide()
        elif isinstance(event, JobStarted):
            self._labels[event.job_id] = event.label
            self._show(event.label, event.steps)
        elif isinstance(event, JobStep):
            self._step(event)
        elif _ends(event):
            self._end(event)
        elif isinstance(event, Summarised):
            self._hide()
            _show_summary(event)
        elif isinstance(event, RunFinished):
            self._hide()
            for saved in self._saves.told():
                err.print(saved)
            err.print(_finished(event))
        elif (note := _note(event)) is not None:
            if isinstance(event, JobReseeded):
                self._grow()
            err.print(note)

    def _grow(self) -> None:
        """One more clip."""
        if self._all is not None:
            task = self._jobs.tasks[0]
            self._jobs.update(self._all, total=(task.total or 0) + 1)

    def _show(self, description: str, steps: int | None) -> None:
        self._hide()
        self._now = self._work.add_task(description, total=steps, detail="" if steps is None else "preparing")

    def _hide(self) -> None:
        if self._now is not None:
            self._work.remove_task(self._now)
        self._now = None

    def _step(self, event: JobStep) -> None:
        detail = "decoding" if event.step == event.steps else f"step {event.step}/{event.steps}"
        if self._now is not None:
            label = self._labels[event.job_id]
            self._work.update(self._now, description=label, completed=event.step, total=event.steps, detail=detail)
        self._fractions[event.job_id] = event.step / event.steps
        self._advance()

    def _end(self, event: JobCompleted | JobFailed) -> None:
        self._ended += 1
        self._fractions.pop(event.job_id, None)
        err.print(_completed(event) if isinstance(event, JobCompleted) else _failed(event))
        self._advance()

    def _advance(self) -> None:
        """Let the steps of the jobs at work move the bar of the run: a job of the 14B models takes minutes."""
        if self._all is not None:
            completed = self._ended + sum(self._fractions.values())
            self._jobs.update(self._all, completed=completed, ended=self._ended)


E = TypeVar("E", bound=Event)


def _printable(event: E) -> E:
    """The same event with words that steer no terminal."""
    words: dict[str, Any] = {name: printable(value) for name, value in vars(event).items() if isinstance(value, str)}
    return replace(event, **words)


def _started(event: RunStarted) -> Text:
    done = f", {event.done:,} made before" if event.done else ""
    told = f": {count(event.to_run, 'video')} to make{done}, into {event.folder}"
    if event.estimated is not None:
        told += f"; about {duration(event.estimated)} in all, as measured here"
    return Text.assemble((event.manifest, "bold"), told)


def _show_summary(event: Summarised) -> None:
    for piece in drawn(event.summary):
        err.print(piece)


def _ends(event: Event) -> TypeGuard[JobCompleted | JobFailed]:
    """Whether it ends a clip. That none of a job's clips was accepted does not: they have ended before."""
    return isinstance(event, JobCompleted) or (isinstance(event, JobFailed) and event.kind != NOT_ACCEPTED)


def _completed(event: JobCompleted) -> Text:
    mark = ("○ ", "bold yellow") if event.accepted is False else ("✓ ", "bold green")
    shown = [f"  {what} {event.scores[name]:.2f}" for name, what in SHOWN_SCORES.items() if event.scores.get(name)]
    taken = (f"  {duration(event.seconds)}", "cyan")
    return Text.assemble(mark, event.label, taken, ("".join(shown), "magenta"), f"  {event.video}")


def _failed(event: JobFailed) -> Text:
    shown = Text.assemble(("✗ ", "bold red"), event.label, "  ", (event.error, "red"))
    return Text.assemble(shown, ("\n    cure: ", "bold green"), event.hint) if event.hint else shown


def _note(event: Event) -> Text | None:
    """A line for what is worth one, but neither begins nor ends anything."""
    if isinstance(event, Warned):
        return _warned(event)
    if isinstance(event, JobRequeued):
        return _requeued(event)
    if isinstance(event, JobRejected):
        return Text.assemble(("  not accepted: ", "yellow"), f"{event.label}  ", (event.why, "yellow"))
    if isinstance(event, JobReseeded):
        return Text(f"  another attempt: {event.label}", style="dim")
    if isinstance(event, JobFailed):
        return _failed(event)
    if isinstance(event, JobResumed):
        return Text(f"  {event.label} goes on from step {event.step} of {event.steps}", style="dim")
    if isinstance(event, Finishing):
        return Text(f"  running: {event.command}", style="dim")
    return _stopping(event) if isinstance(event, Stopping) else None


def _requeued(event: JobRequeued) -> Text:
    how = f"with --memory {event.memory}" if event.memory else f"in {duration(event.seconds)}"
    return Text.assemble(("↻ ", "bold yellow"), event.label, "  ", (event.error, "yellow"), f"; again {how}")


def _stopping(event: Stopping) -> Text:
    told = f"stopping ({event.why}): the clip at work is being saved; once more stops at once"
    return Text.assemble(("■ ", "bold yellow"), told)


def _warned(event: Warned) -> Text:
    shown = Text.assemble(("! ", "bold yellow"), event.message)
    return Text.assemble(shown, ("\n    cure: ", "bold green"), event.hint) if event.hint else shown


WHY = {
    "max_failures": "as many jobs failed as may",
    "disk_full": "the disk is full",
    "device": "the device is lost",
    "machine": "the machine is not ready",
    "the deadline": "its time is over",
}
"""Why a run ended before its end, in words."""


class Saves:
    """What the jobs at work have on disk: told when the run is stopped."""

    def __init__(self) -> None:
        self._at_work: dict[str, str] = {}
        self._saved: dict[str, tuple[int, int]] = {}

    def see(self, event: Event) -> None:
        """Follow the jobs."""
        if isinstance(event, JobStarted):
            self._at_work[event.job_id] = event.label
        elif isinstance(event, (JobSaved, JobResumed)):
            self._saved[event.job_id] = (event.step, event.steps)
        elif isinstance(event, (JobCompleted, JobFailed)):
            self._at_work.pop(event.job_id, None)
            self._saved.pop(event.job_id, None)

    def told(self) -> list[Text]:
        """A line for each job that was at work."""
        return [Text(f"  {label}: {self._where(job_id)}", style="dim") for job_id, label in self._at_work.items()]

    def _where(self, job_id: str) -> str:
        if job_id not in self._saved:
            return "nothing to save yet; it begins anew"
        step, steps = self._saved[job_id]
        return f"saved at step {step} of {steps}"


def _finished(event: RunFinished) -> Text:
    parts = [f"{count(event.completed, 'video')} made"]
    if event.rejected:
        parts.append(f"{event.rejected} not accepted")
    if event.failed:
        parts.append(f"{event.failed} failed")
    if event.not_accepted:
        parts.append(f"{count(event.not_accepted, 'job')} without an accepted clip")
    if event.unscored:
        parts.append(f"{count(event.unscored, 'clip')} without the scores that are asked for")
    if event.remaining:
        parts.append(f"{event.remaining} left")
    head = (
        ("stopped", "bold yellow")
        if event.why and event.remaining
        else ("finished", "bold red" if event.failed or event.not_accepted else "bold green")
    )
    tail = f" ({WHY.get(event.why, event.why)})" if event.why else ""
    if event.why and event.remaining:
        tail += "; run the same command again to go on"
    elif event.completed and not event.why:
        tail += f": open {event.folder}/{GALLERY}"
    return Text.assemble(head, f": {', '.join(parts)}; {duration(event.seconds)}, in {event.folder}{tail}")
