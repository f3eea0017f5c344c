"""The lines that events become for people, on a terminal and in a log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeGuard, TypeVar

from rich.text import Text

from standin_batch.cli.console import count, duration, err, printable
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
    Prepared,
    RunFinished,
    RunStarted,
    Stopping,
    Summarised,
    Warned,
    WorkerLeft,
    WorkerStarted,
)

NOT_ACCEPTED = "not_accepted"
GALLERY = "gallery.html"
SHOWN_SCORES = {"face_similarity": "face"}
"""Scores that stand behind a finished clip, and what they are called there."""

E = TypeVar("E", bound=Event)


def told_safely(event: E) -> E:
    """The same event with words that steer no terminal."""
    words: dict[str, Any] = {name: printable(value) for name, value in vars(event).items() if isinstance(value, str)}
    return replace(event, **words)


def started(event: RunStarted) -> Text:
    """What a run is going to do."""
    done = f", {event.done:,} made before" if event.done else ""
    told = f": {count(event.to_run, 'video')} to make{done}, into {event.folder}"
    if event.estimated is not None:
        where = f"on {event.device}" if event.device else "here"
        told += f"; about {duration(event.estimated)} in all, as measured {where}"
    return Text.assemble((event.manifest, "bold"), told)


def show_summary(event: Summarised) -> None:
    """Print what a run amounts to."""
    for piece in drawn(event.summary):
        err.print(piece)


def ends(event: Event) -> TypeGuard[JobCompleted | JobFailed]:
    """Whether it ends a clip. That none of a job's clips was accepted does not: they have ended before."""
    return isinstance(event, JobCompleted) or (isinstance(event, JobFailed) and event.kind != NOT_ACCEPTED)


def completed(event: JobCompleted) -> Text:
    """A clip that was made."""
    mark = ("○ ", "bold yellow") if event.accepted is False else ("✓ ", "bold green")
    shown = [f"  {what} {event.scores[name]:.2f}" for name, what in SHOWN_SCORES.items() if event.scores.get(name)]
    taken = (f"  {duration(event.seconds)}", "cyan")
    made_by = (f"  {event.worker}" if event.worker else "", "dim")
    return Text.assemble(mark, event.label, taken, ("".join(shown), "magenta"), f"  {event.video}", made_by)


def failed(event: JobFailed) -> Text:
    """A job that failed, and its cure."""
    made_by = (f"  {event.worker}" if event.worker else "", "dim")
    shown = Text.assemble(("✗ ", "bold red"), event.label, "  ", (event.error, "red"), made_by)
    return Text.assemble(shown, ("\n    cure: ", "bold green"), event.hint) if event.hint else shown


def prepared(event: Prepared, indent: str = "") -> Text:
    """What was prepared, and how long that took."""
    who = f"{event.worker}: " if event.worker else ""
    return Text(f"{indent}{who}{event.what}: {duration(event.seconds)}", style="dim" if indent else "")


def note(event: Event, has_crew: bool = False) -> Text | None:
    """A line for what is worth one, but neither begins nor ends a clip.

    Args:
        event: that happens.
        has_crew: whether workers make the clips, and not this process.
    """
    if isinstance(event, Warned):
        return warned(event)
    if isinstance(event, JobRequeued):
        return _requeued(event)
    if isinstance(event, JobRejected):
        return Text.assemble(("  not accepted: ", "yellow"), f"{event.label}  ", (event.why, "yellow"))
    if isinstance(event, JobReseeded):
        return Text(f"  another attempt: {event.label}", style="dim")
    if isinstance(event, JobFailed):
        return failed(event)
    if isinstance(event, JobResumed):
        return Text(f"  {event.label} goes on from step {event.step} of {event.steps}", style="dim")
    if isinstance(event, Finishing):
        return Text(f"  running: {event.command}", style="dim")
    if isinstance(event, (WorkerStarted, WorkerLeft)):
        return _worker(event)
    return _stopping(event, has_crew) if isinstance(event, Stopping) else None


def _worker(event: WorkerStarted | WorkerLeft) -> Text:
    if isinstance(event, WorkerStarted):
        return Text(f"  worker {event.worker} is at work: {event.host} {event.device}".rstrip(), style="dim")
    if event.why and event.again:
        return Text(f"  worker {event.worker} has left: {event.why}", style="dim")
    if event.why:
        return Text.assemble(("! ", "bold yellow"), f"worker {event.worker} has left: ", (event.why, "yellow"))
    return Text(f"  worker {event.worker} has left", style="dim")


def _requeued(event: JobRequeued) -> Text:
    how = f"with --memory {event.memory}" if event.memory else f"in {duration(event.seconds)}"
    return Text.assemble(("↻ ", "bold yellow"), event.label, "  ", (event.error, "yellow"), f"; again {how}")


def _stopping(event: Stopping, has_crew: bool) -> Text:
    what = "the clips at work are" if has_crew else "the clip at work is"
    told = f"stopping ({event.why}): {what} being saved; once more stops at once"
    return Text.assemble(("■ ", "bold yellow"), told)


def warned(event: Warned) -> Text:
    """A warning, and its cure."""
    who = f"{event.worker}: " if event.worker else ""
    shown = Text.assemble(("! ", "bold yellow"), who, event.message)
    return Text.assemble(shown, ("\n    cure: ", "bold green"), event.hint) if event.hint else shown


WHY = {
    "max_failures": "as many jobs failed as may",
    "disk_full": "the disk is full",
    "device": "the device is lost",
    "machine": "the machine is not ready",
    "the deadline": "its time is over",
}
"""Why a run ended before its end, in words."""


def finished(event: RunFinished) -> Text:
    """What came of a run."""
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
