"""The journal: what became of each job of each run, one SQLite file for each process.

Records say what is done; the journal says what was tried, what failed and why. It is never needed to know what is
done, and a file that is broken or half-written is passed over.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class State(str, Enum):
    """States of a job, in Slurm's words."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True)
class Entry:
    """One change of a job's state.

    Attributes:
        at: seconds since 1970.
        job_id: of the job.
        label: how the job is called for people.
        state: that it came into.
        error: why it failed; empty otherwise.
        pid: of the process that wrote it.
    """

    at: float
    job_id: str
    label: str
    state: State
    error: str
    pid: int


_SCHEMA = "CREATE TABLE IF NOT EXISTS entry (at REAL, job_id TEXT, label TEXT, state TEXT, error TEXT, pid INTEGER)"


class Journal:
    """The journal of this process; safe to write from several threads."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.sqlite"
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute(_SCHEMA)

    def write(self, job_id: str, label: str, state: State, error: str = "") -> None:
        """Note that a job came into a state."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)",
                (time.time(), job_id, label, state.value, error, os.getpid()),
            )

    def close(self) -> None:
        """No more entries follow."""
        with self._lock:
            self._connection.close()


def latest(folder: Path) -> dict[str, Entry]:
    """The newest entry of each job over all journals in `folder`."""
    entries: dict[str, Entry] = {}
    for path in sorted(folder.glob("*.sqlite")):
        for entry in _entries(path):
            known = entries.get(entry.job_id)
            if known is None or entry.at >= known.at:
                entries[entry.job_id] = entry
    return entries


def _entries(path: Path) -> Iterator[Entry]:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT at, job_id, label, state, error, pid FROM entry ORDER BY rowid")
            yield from (Entry(at, job, label, State(state), error, pid) for at, job, label, state, error, pid in rows)
    except (sqlite3.DatabaseError, ValueError):
        return
