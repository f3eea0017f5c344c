"""Where an output folder stands: how many jobs are in which state, and who is at work.

It reads records, journals and the posts of workers, never the weights.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from standin_batch.output.layout import OutputLayout
from standin_batch.run.done import done_in, entries_of
from standin_batch.run.journal import Entry, Run, State
from standin_batch.run.living import living
from standin_batch.run.posts import at_work
from standin_batch.run.saved import progress
from standin_batch.run.worker_status import WorkerStatus, worker_statuses


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
        worker: of a crew that brought it there; empty of a run in one process.
    """

    job_id: str
    label: str
    error: str
    step: int | None
    steps: int | None
    at: float
    worker: str = ""


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
        workers: of a crew that are at work, by name; none of a run in one process.
        active: whether a run is at work.
        seconds: since that run began; None without one.
        seconds_left: by the pace of that run, all workers together; None before its first video.
    """

    folder: str
    counts: dict[str, int]
    running: tuple[JobStatus, ...]
    failed: tuple[JobStatus, ...]
    cancelled: tuple[JobStatus, ...]
    total: int | None
    other: int
    workers: tuple[WorkerStatus, ...]
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
    posts = at_work(layout)
    alive = living(layout, posts)
    states = _by_state(entries_of(layout, done), alive)
    total = total if done.total is None else done.total
    counts = {State.COMPLETED.value: len(done.ids), **{state.value: len(found) for state, found in states.items()}}
    if total is not None:
        counts[State.PENDING.value] = max(0, total - sum(counts.values()))
    running = tuple(_job(entry, layout) for entry in states[State.RUNNING])
    return Status(
        folder=str(folder),
        counts=counts,
        running=running,
        failed=tuple(_job(entry, layout) for entry in reversed(states[State.FAILED])),
        cancelled=tuple(_job(entry, layout) for entry in reversed(states[State.CANCELLED])),
        total=total,
        other=len(done.recorded - (done.ours or done.recorded)),
        workers=tuple(worker_statuses(posts, alive, running)),
        **_pace(alive, counts, bool(posts)),
    )


def _by_state(entries: list[Entry], alive: Sequence[Run]) -> dict[State, list[Entry]]:
    states: dict[State, list[Entry]] = {
        state: [] for state in (State.RUNNING, State.REQUEUED, State.FAILED, State.CANCELLED)
    }
    for entry in sorted(entries, key=lambda entry: entry.at):
        state = State.CANCELLED if _is_cut_off(entry, alive) else entry.state
        if state in states:
            states[state].append(entry)
    return states


def _is_cut_off(entry: Entry, alive: Sequence[Run]) -> bool:
    """Whether it speaks of a job at work, and the process that was at it is gone."""
    return entry.state in (State.RUNNING, State.REQUEUED) and not any(run.wrote(entry) for run in alive)


class _Pace(TypedDict):
    active: bool
    seconds: float | None
    seconds_left: float | None


def _pace(alive: Sequence[Run], counts: dict[str, int], has_workers: bool) -> _Pace:
    """Whether a run is at work, since when, and for how long it still will be."""
    if not alive:
        return {"active": has_workers, "seconds": None, "seconds_left": None}
    now = time.time()
    # What was cancelled before is made in this run again.
    waiting = sum(
        counts.get(state.value, 0) for state in (State.PENDING, State.RUNNING, State.REQUEUED, State.CANCELLED)
    )
    left = None
    if State.PENDING.value in counts and (last := max((run.last for run in alive if run.last), default=None)):
        left = max(0.0, waiting / _rate_of_all(alive) - (now - last))
    return {"active": True, "seconds": max(0.0, now - min(run.started for run in alive)), "seconds_left": left}


def _rate_of_all(alive: Sequence[Run]) -> float:
    """Jobs a second; workers that have not made any yet will be as quick as the others are on average."""
    rates = [rate for run in alive if (rate := _rate(run)) > 0]
    workers = sum(bool(run.worker) for run in alive)
    return sum(rates) * max(1.0, workers / len(rates))


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
    return JobStatus(entry.job_id, entry.label, entry.error, step, steps, entry.at, entry.worker)
