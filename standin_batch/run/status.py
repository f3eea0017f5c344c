"""Where an output folder stands: how many jobs are in which state. It reads records and journals, never the weights."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from standin_batch.output.layout import OutputLayout
from standin_batch.run.done import done_in, entries_of
from standin_batch.run.journal import Entry, Run, State
from standin_batch.run.journals import runs
from standin_batch.run.saved import progress


@dataclass(frozen=True)
class JobStatus:
    """A job that did not end well, or has not ended.

    Attributes:
        job_id: of the job.
        label: how it is called for people.
        error: why it failed, or was stopped; empty otherwise.
        step: how many of its steps are saved; None where none are.
        steps: in all; None where none are saved.
        at: when it came into its state, in seconds since 1970.
    """

    job_id: str
    label: str
    error: str
    step: int | None
    steps: int | None
    at: float


@dataclass(frozen=True)
class Status:
    """The state of an output folder.

    Attributes:
        folder: that was read.
        counts: jobs by state, in Slurm's words; PENDING only where the total is known.
        running: jobs at work.
        failed: jobs whose last attempt failed, the latest first.
        cancelled: jobs that were stopped, or cut off, the latest first.
        total: jobs of the manifest; None where no run and no manifest says.
        other: records of jobs that the manifest does not have (any more).
        active: whether a run is at work.
        seconds: since that run began; None without one.
        seconds_left: by the pace of that run; None before its first video.
    """

    folder: str
    counts: dict[str, int]
    running: tuple[JobStatus, ...]
    failed: tuple[JobStatus, ...]
    cancelled: tuple[JobStatus, ...]
    total: int | None
    other: int
    active: bool
    seconds: float | None
    seconds_left: float | None


def read_status(folder: Path, total: int | None = None) -> Status:
    """Read the state of `folder`; a folder that does not exist yet has no jobs.

    Args:
        folder: of the output.
        total: jobs of the manifest, where no run has written down which these are.
    """
    layout = OutputLayout(folder)
    done = done_in(layout)
    alive = [run for run in runs(layout.journals) if run.is_alive]
    states = _by_state(entries_of(layout, done), alive)
    total = total if done.total is None else done.total
    counts = {State.COMPLETED.value: len(done.ids), **{state.value: len(found) for state, found in states.items()}}
    if total is not None:
        counts[State.PENDING.value] = max(0, total - sum(counts.values()))
    return Status(
        folder=str(folder),
        counts=counts,
        running=tuple(_job(entry, layout) for entry in states[State.RUNNING]),
        failed=tuple(_job(entry, layout) for entry in reversed(states[State.FAILED])),
        cancelled=tuple(_job(entry, layout) for entry in reversed(states[State.CANCELLED])),
        total=total,
        other=len(done.recorded - (done.ours or done.recorded)),
        **_pace(alive, counts),
    )


def _by_state(entries: list[Entry], alive: list[Run]) -> dict[State, list[Entry]]:
    states: dict[State, list[Entry]] = {
        state: [] for state in (State.RUNNING, State.REQUEUED, State.FAILED, State.CANCELLED)
    }
    for entry in sorted(entries, key=lambda entry: entry.at):
        # A job of a process which is gone was cancelled.
        at_work = any(run.wrote(entry) for run in alive)
        state = State.CANCELLED if entry.state in (State.RUNNING, State.REQUEUED) and not at_work else entry.state
        if state in states:
            states[state].append(entry)
    return states


class _Pace(TypedDict):
    active: bool
    seconds: float | None
    seconds_left: float | None


def _pace(alive: list[Run], counts: dict[str, int]) -> _Pace:
    """Whether a run is at work, since when, and for how long it still will be."""
    if not alive:
        return {"active": False, "seconds": None, "seconds_left": None}
    now = time.time()
    # What was cancelled before is made in this run again.
    waiting = sum(
        counts.get(state.value, 0) for state in (State.PENDING, State.RUNNING, State.REQUEUED, State.CANCELLED)
    )
    left = None
    if State.PENDING.value in counts and (last := max((run.last for run in alive if run.last), default=None)):
        left = max(0.0, waiting / sum(map(_rate, alive)) - (now - last))
    return {"active": True, "seconds": max(0.0, now - min(run.started for run in alive)), "seconds_left": left}


def _rate(run: Run) -> float:
    """Jobs a second: between the first and the latest, as loading comes but once; of one alone, since the start."""
    if run.first is None or run.last is None:
        return 0.0
    if run.completed > 1 and run.last > run.first:
        return (run.completed - 1) / (run.last - run.first)
    return run.completed / max(1e-3, run.last - run.started)


def _job(entry: Entry, layout: OutputLayout) -> JobStatus:
    saved = progress(layout, entry.job_id)
    step, steps = (None, None) if saved is None else (saved.step, saved.steps)
    return JobStatus(entry.job_id, entry.label, entry.error, step, steps, entry.at)
