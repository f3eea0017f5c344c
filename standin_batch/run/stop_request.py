"""Asking a run, or one worker of it, to stop from another process: a file beside its lock, which names who is meant.

Who is meant looks for it; a later process is not meant, so that an old request stops nothing.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from standin_batch.files import write_atomic
from standin_batch.locks.holder import MAX_BYTES, Holder, myself
from standin_batch.locks.lock import holder
from standin_batch.output.store import OutputError


class Place(Protocol):
    """Where somebody is at work: an output folder, or the post of a worker in it."""

    @property
    def lock(self) -> Path:
        """Held by who is at work."""

    @property
    def stop(self) -> Path:
        """The request."""


@dataclass(frozen=True)
class StopRequest:
    """Somebody's wish that a process stops.

    Attributes:
        host: its machine.
        pid: its id there.
        born: when its system started that, in the system's own count.
        boot: which start of its system that was.
        now: whether it stops at once, and not only when what it has is saved.
    """

    host: str
    pid: int
    born: str
    boot: str
    now: bool = False

    def is_for(self, process: Holder) -> bool:
        """Whether it is this process that has to stop."""
        mine = (process.host, process.pid, process.born, process.boot)
        return (self.host, self.pid, self.born, self.boot) == mine


def ask(place: Place) -> tuple[Holder, StopRequest] | None:
    """Ask who is at work to stop; a second time, to do so at once.

    Args:
        place: an output folder, or the post of a worker.

    Returns:
        Who is asked, and for what; None if nobody is at work there.

    Raises:
        OutputError: if the folder cannot be read or written.
    """
    whom = _at_work(place)
    if whom is None:
        return None
    request = StopRequest(whom.host, whom.pid, whom.born, whom.boot, now=asked(place, whom) is not None)
    try:
        write_atomic(place.stop, json.dumps(asdict(request)))
    except OSError as error:
        cure = f"on {whom.host}: kill -INT {whom.pid}"
        raise OutputError(f"{place.stop} cannot be written: {error.strerror}", cure) from error
    return whom, request


def asked(place: Place, me: Holder | None = None) -> StopRequest | None:
    """What a process is asked for; None if it is not meant, or the file is broken.

    Args:
        place: an output folder that it holds, or its post.
        me: the process; None for this one.
    """
    found = _read(place)
    return found if found is not None and found.is_for(me or myself()) else None


def withdrawn(place: Place) -> None:
    """Nobody is asked to stop any more."""
    place.stop.unlink(missing_ok=True)


def _at_work(place: Place) -> Holder | None:
    try:
        return holder(place.lock)
    except OSError as error:
        cure = f"its owner can: ls -l {shlex.quote(str(place.lock))}"
        raise OutputError(f"{place.lock} cannot be read: {error.strerror}", cure) from error


def _read(place: Place) -> StopRequest | None:
    try:
        with place.stop.open("rb") as file:
            return StopRequest(**json.loads(file.read(MAX_BYTES)))
    except (OSError, ValueError, TypeError):
        return None
