"""Asking a run to stop from another process: a file in its output folder, which names the run that is meant.

The run looks for it; a later run is not meant, so that an old request stops nothing.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass

from standin_batch.files import write_atomic
from standin_batch.locks.holder import MAX_BYTES, Holder, myself
from standin_batch.locks.lock import holder
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import OutputError


@dataclass(frozen=True)
class StopRequest:
    """Somebody's wish that a run stops.

    Attributes:
        host: the machine of the run.
        pid: its process.
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


def ask(layout: OutputLayout) -> tuple[Holder, StopRequest] | None:
    """Ask the run that is at work in an output folder to stop; a second time, to do so at once.

    Returns:
        Who is asked, and for what; None if nobody is at work there.

    Raises:
        OutputError: if the folder cannot be read or written.
    """
    whom = _at_work(layout)
    if whom is None:
        return None
    request = StopRequest(whom.host, whom.pid, whom.born, whom.boot, now=asked(layout, whom) is not None)
    try:
        write_atomic(layout.stop, json.dumps(asdict(request)))
    except OSError as error:
        cure = f"on {whom.host}: kill -INT {whom.pid}"
        raise OutputError(f"{layout.stop} cannot be written: {error.strerror}", cure) from error
    return whom, request


def asked(layout: OutputLayout, me: Holder | None = None) -> StopRequest | None:
    """What a process is asked for; None if it is not meant, or the file is broken.

    Args:
        layout: of the output folder that it holds.
        me: the process; None for this one.
    """
    found = _read(layout)
    return found if found is not None and found.is_for(me or myself()) else None


def withdrawn(layout: OutputLayout) -> None:
    """Nobody is asked to stop any more."""
    layout.stop.unlink(missing_ok=True)


def _at_work(layout: OutputLayout) -> Holder | None:
    try:
        return holder(layout.lock)
    except OSError as error:
        cure = f"its owner can: ls -l {shlex.quote(str(layout.lock))}"
        raise OutputError(f"{layout.lock} cannot be read: {error.strerror}", cure) from error


def _read(layout: OutputLayout) -> StopRequest | None:
    try:
        with layout.stop.open("rb") as file:
            return StopRequest(**json.loads(file.read(MAX_BYTES)))
    except (OSError, ValueError, TypeError):
        return None
