"""Where an output folder stands: how many jobs are in which state. It reads records and journals, never the weights."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import recorded_ids
from standin_batch.run.journal import Entry, State, latest


@dataclass(frozen=True)
class JobStatus:
    """A job that did not end well, or has not ended."""

    job_id: str
    label: str
    error: str


@dataclass(frozen=True)
class Status:
    """The state of an output folder.

    Attributes:
        folder: that was read.
        counts: jobs by state, in Slurm's words.
        running: jobs at work.
        failed: jobs whose last attempt failed.
    """

    folder: str
    counts: dict[str, int]
    running: tuple[JobStatus, ...]
    failed: tuple[JobStatus, ...]


def read_status(folder: Path) -> Status:
    """Read the state of `folder`; a folder that does not exist yet has no jobs."""
    layout = OutputLayout(folder)
    recorded = recorded_ids(layout)
    entries = [entry for entry in latest(layout.journals).values() if entry.job_id not in recorded]
    states = {entry.job_id: _state(entry) for entry in entries}
    counts = {State.COMPLETED.value: len(recorded)}
    for state in (State.RUNNING, State.FAILED, State.CANCELLED):
        counts[state.value] = sum(found is state for found in states.values())
    return Status(
        str(folder),
        counts,
        tuple(_job(entry) for entry in entries if states[entry.job_id] is State.RUNNING),
        tuple(_job(entry) for entry in entries if states[entry.job_id] is State.FAILED),
    )


def _state(entry: Entry) -> State:
    """A job that runs in a process which is gone was cancelled."""
    if entry.state is State.RUNNING and not _is_alive(entry.pid):
        return State.CANCELLED
    return entry.state


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _job(entry: Entry) -> JobStatus:
    return JobStatus(entry.job_id, entry.label, entry.error)
