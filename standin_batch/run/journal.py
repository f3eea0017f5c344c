"""The journal: what became of each job of each run, one file for each process, one JSON object a line.

Records say what is done; the journal says what was tried, what failed and why, and which runs are at work. It is never
needed to know what is done: a line that is broken or half-written is passed over, and one that cannot be written costs
an entry, not the run.

A file is written by one process only, and opened and closed for each line: so other machines see it on a network file
system, too (nfs(5), close-to-open), and nobody relies on locks. The first line tells of the run, and the last one when
it ended. `Run` and `Entry` are read back in `journals`.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from standin_batch.locks.alive import born
from standin_batch.output.layout import safe_name
from standin_batch.output.store import OutputError

logger = logging.getLogger(__name__)

SUFFIX = ".jsonl"
NEW_LINE = "\n"

Sink: TypeAlias = "Callable[[str], object]"
"""Takes a line with its end; raises OSError where it is lost."""


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
        host: where that process ran.
        worker: its name in a crew; empty of a process that works alone.
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
    host: str = ""
    worker: str = ""


@dataclass(frozen=True)
class Run:
    """The process that wrote a journal.

    Attributes:
        pid: its id.
        host: where it ran.
        born: when the system started it, in the system's own count, so that a later process with its id is told apart;
            empty where that is not known.
        started: seconds since 1970.
        worker: its name in a crew; empty of a process that works alone.
        device: that it works on; empty where it has not said.
        ended: seconds since 1970; None of one that has not said so.
        completed: jobs that it made.
        first: when it had made the first of them, in seconds since 1970; None before.
        last: when it had made the latest; None before.
    """

    pid: int
    host: str
    born: str
    started: float
    worker: str = ""
    device: str = ""
    ended: float | None = None
    completed: int = 0
    first: float | None = None
    last: float | None = None

    def wrote(self, entry: Entry) -> bool:
        """Whether an entry is of its journal."""
        mine = (self.host, self.pid, self.worker) == (entry.host, entry.pid, entry.worker)
        return mine and self.started <= entry.at


class Journal:
    """The journal of this process; safe to write from several threads."""

    def __init__(self, place: Path | Sink, *, worker: str = "", device: str = "") -> None:
        """Begin it.

        Args:
            place: the folder of journals, where it becomes a file of its own; or what takes its lines, where this
                machine does not see that folder.
            worker: the name of this process in a crew; empty of one that works alone.
            device: that it works on; `works_on` can tell it later.

        Raises:
            OutputError: if it cannot be written.
        """
        self._lock = threading.Lock()
        self._sink = file_sink(new_path(place, worker)) if isinstance(place, Path) else place
        run = {"pid": os.getpid(), "host": socket.gethostname(), "born": born(os.getpid()), "started": time.time()}
        try:
            self._sink(_line({"run": {**run, "worker": worker, "device": device}}))
        except OSError as error:
            told = f"{error.filename or place} cannot be written: {error.strerror or error}"
            raise OutputError(told, "is there room on the disk?") from error

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
        told = {"label": label, "error": error, "kind": kind, "hint": hint, "attempt": attempt}
        # Readers look for these three at the beginning of the line, in this order.
        head = {"job_id": job_id, "state": state.value, "at": time.time()}
        self._append({**head, **{name: value for name, value in told.items() if value}})

    def works_on(self, device: str) -> None:
        """Note the device, where that was not known yet when the journal was begun; before the first entry."""
        self._append({"device": device})

    def close(self) -> None:
        """No more entries follow: the run has ended."""
        self._append({"ended": time.time()})

    def _append(self, value: Mapping[str, object]) -> None:
        with self._lock:
            try:
                self._sink(_line(value))
            except OSError as error:  # a full disk, a lost mount
                logger.warning("the journal could not be written: %s", error)


def new_path(folder: Path, worker: str = "") -> Path:
    """A new file in the folder of journals, named by the time, this process and its worker; so they sort by age."""
    now = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S.%f}"
    names = (now, safe_name(socket.gethostname()), str(os.getpid()), *([safe_name(worker)] if worker else []))
    return folder / f"{'-'.join(names)}{SUFFIX}"


def file_sink(path: Path) -> Sink:
    """Puts each line at the end of a file, which is made with the first, and so are its folders."""
    return _File(path)


class _File:
    """A file that is opened, written and closed for each line: what is closed, other machines see."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_cut = False

    def __call__(self, line: str) -> None:
        """Append it. After a line that was cut short it begins a new one, and costs none but that."""
        # What no encoding has, such as half a surrogate pair, is written as JSON writes it.
        told = f"{NEW_LINE if self._is_cut else ''}{line}".encode(errors="backslashreplace")
        self._is_cut = True
        written = self._appended(told)
        if written < len(told):
            raise OSError(errno.ENOSPC, f"{written} of {len(told)} bytes were written", str(self._path))
        self._is_cut = False

    def _appended(self, told: bytes) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            return os.write(descriptor, told)
        finally:
            os.close(descriptor)


def _line(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + NEW_LINE
