"""The journal: what became of each job of each run, one SQLite file for each process.

Records say what is done; the journal says what was tried, what failed and why, and which runs are at work. It is never
needed to know what is done: a file that is broken or half-written is passed over, and one that cannot be written costs
its entries, not the run.
"""

from __future__ import annotations

import logging
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from standin_batch.locks.alive import born, is_alive
from standin_batch.output.store import OutputError

logger = logging.getLogger(__name__)

PATIENCE = 30.0
"""Seconds to wait for a file that another process holds."""


class State(str, Enum):
    """States of a job, in Slurm's words. A job that is to be tried again is requeued."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    REQUEUED = "REQUEUED"


@dataclass(frozen=True)
class Entry:
    """One change of a job's state.

    Attributes:
        at: seconds since 1970.
        job_id: of the job.
        label: how the job is called for people.
        state: that it came into.
        error: why it failed, or was stopped; empty otherwise.
        pid: of the process that wrote it.
        kind: of the failure, as `failure.FailureKind` has it; empty without one.
        hint: what to do about it.
        attempt: how often it was begun in that run, from 1; 0 where nothing was begun.
    """

    at: float
    job_id: str
    label: str
    state: State
    error: str
    pid: int
    kind: str = ""
    hint: str = ""
    attempt: int = 0


@dataclass(frozen=True)
class Run:
    """The process that wrote a journal.

    Attributes:
        pid: its id.
        host: where it ran.
        born: when the system started it, in the system's own count, so that a later process with its id is told apart;
            empty where that is not known.
        started: seconds since 1970.
        ended: seconds since 1970; None of one that has not said so.
        completed: jobs that it made.
        first: when it had made the first of them, in seconds since 1970; None before.
        last: when it had made the latest; None before.
    """

    pid: int
    host: str
    born: str
    started: float
    ended: float | None
    completed: int
    first: float | None
    last: float | None

    @property
    def is_alive(self) -> bool:
        """Whether it is at work. Of another machine one cannot know; then its word counts."""
        if self.ended is not None:
            return False
        return self.host != socket.gethostname() or is_alive(self.pid, self.born)


_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    at REAL, job_id TEXT, label TEXT, state TEXT, error TEXT, pid INTEGER, kind TEXT, hint TEXT, attempt INTEGER
);
CREATE TABLE IF NOT EXISTS run (pid INTEGER, host TEXT, born TEXT, started REAL, ended REAL);
"""


class Journal:
    """The journal of this process; safe to write from several threads.

    A write-ahead log lets `status` read for as long as it likes while a run writes, and with `synchronous=NORMAL` an
    entry costs no wait for the disk: a killed process loses nothing, as the log is in the system's hands; a power cut
    may lose the last entries, never the file. Where the file system cannot do that (its index is shared memory, so not
    over NFS between machines), SQLite's own journal takes its place.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.sqlite"
        self._lock = threading.Lock()
        try:
            self._connection = _begun(path)
        except sqlite3.Error as error:
            raise OutputError(f"{path} cannot be written: {error}", "is there room on the disk?") from error

    def write(
        self,
        job_id: str,
        label: str,
        state: State,
        error: str = "",
        *,
        kind: str = "",
        hint: str = "",
        attempt: int = 0,
    ) -> None:
        """Note that a job came into a state, as `Entry` has it."""
        row = (time.time(), job_id, label, state.value, error, os.getpid(), kind, hint, attempt)
        self._execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *row)

    def close(self) -> None:
        """No more entries follow: the run has ended."""
        self._execute("UPDATE run SET ended = ?", time.time())
        with self._lock:
            with suppress(sqlite3.Error):  # somebody reads it
                # One file again: readers of a write-ahead log leave 32 kB beside it.
                self._connection.execute("PRAGMA journal_mode=DELETE")
            self._connection.close()

    def _execute(self, command: str, *values: object) -> None:
        with self._lock:
            try:
                self._connection.execute(command, values)
            except sqlite3.Error as error:  # a full disk, a lost mount
                logger.warning("the journal could not be written: %s", error)


def _begun(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=PATIENCE, check_same_thread=False, isolation_level=None)
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.executescript(_SCHEMA)
    run = (os.getpid(), socket.gethostname(), born(os.getpid()), time.time())
    connection.execute("INSERT INTO run VALUES (?, ?, ?, ?, NULL)", run)
    return connection


def latest(folder: Path) -> dict[str, Entry]:
    """The newest entry of each job over all journals in `folder`."""
    entries: dict[str, Entry] = {}
    for path in sorted(folder.glob("*.sqlite")):
        for entry in _entries(path, _NEWEST):
            known = entries.get(entry.job_id)
            if known is None or entry.at >= known.at:
                entries[entry.job_id] = entry
    return entries


def history(folder: Path, job_id: str) -> list[Entry]:
    """Every entry of one job over all journals in `folder`, oldest first."""
    query = f"SELECT {_COLUMNS} FROM entry WHERE job_id = ? ORDER BY rowid"
    found = [entry for path in sorted(folder.glob("*.sqlite")) for entry in _entries(path, query, job_id)]
    return sorted(found, key=lambda entry: entry.at)


def runs(folder: Path) -> list[Run]:
    """The runs of all journals in `folder`, oldest first."""
    return [run for path in sorted(folder.glob("*.sqlite")) for run in _runs(path)]


_COLUMNS = "at, job_id, label, state, error, pid, kind, hint, attempt"

_NEWEST = f"SELECT {_COLUMNS}, max(rowid) FROM entry GROUP BY job_id"
"""The newest entry of each job in one journal: where `max` is asked for, SQLite takes the rest from its row."""


def _entries(path: Path, query: str, *values: object) -> Iterator[Entry]:
    for at, job_id, label, state, *rest in _read(path, query, *values):
        with suppress(ValueError):  # a state that this version does not know
            yield Entry(at, job_id, label, State(state), *rest[:5])


def _runs(path: Path) -> Iterator[Run]:
    made = "SELECT count(*) AS completed, min(at) AS first, max(at) AS last FROM entry WHERE state = 'COMPLETED'"
    query = f"SELECT pid, host, born, started, ended, completed, first, last FROM run, ({made})"
    return (Run(*row) for row in _read(path, query))


def _read(path: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """The rows of a query; none of a file that is no journal, or not yet one.

    A folder that cannot be written has no place for the index of a write-ahead log, so there the file is read without.
    """
    for mode in ("mode=ro", "immutable=1"):
        with suppress(sqlite3.DatabaseError), closing(_opened(path, mode)) as connection:
            return connection.execute(query, values).fetchall()
    return []


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, timeout=PATIENCE)
