"""Who holds a lock, as the file of the lock says it: one process, told from every other one, also from later ones.

What is made of that is said in `verdict`.
"""

from __future__ import annotations

import json
import os
import socket
import uuid
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path

from standin_batch.locks.alive import boot, born, is_alive, namespace

MAX_BYTES = 4096
"""Of the file of a lock are read; one that says who holds it has some hundred."""


@dataclass(frozen=True)
class Holder:
    """A process that holds a lock.

    Attributes:
        host: the name of its machine.
        pid: its id there.
        born: when its system started it, in the system's own count (`alive.born`).
        boot: which start of its system that was (`alive.boot`).
        namespace: in which its id counts (`alive.namespace`).
        since: when it took the lock, in ISO 8601.
        mark: drawn anew each time a lock is taken.
    """

    host: str
    pid: int
    born: str
    boot: str
    namespace: str
    since: str
    mark: str

    @property
    def is_of_this_machine(self) -> bool:
        """Whether this process can ask the system after it; across a reboot it cannot."""
        here = (socket.gethostname(), boot(), namespace())
        return (self.host, self.boot, self.namespace) == here

    @property
    def was_before_a_reboot(self) -> bool:
        """Whether it was a process of this machine until that was started anew."""
        return self.host == socket.gethostname() and self.boot != boot()

    @property
    def is_running(self) -> bool:
        """Whether the process is there; asked only of one of this machine."""
        return is_alive(self.pid, self.born)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


def myself() -> Holder:
    """This process, as one that takes a lock now."""
    pid = os.getpid()
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    return Holder(socket.gethostname(), pid, born(pid), boot(), namespace(), now, uuid.uuid4().hex)


def to_json(holder: Holder) -> str:
    """What stands in the file of a lock."""
    return json.dumps(asdict(holder))


def named(path: Path) -> Holder | None:
    """Whom the file of a lock names; None where it is not there, empty, half-written or of another version."""
    try:
        with path.open("rb") as file:
            said = json.loads(file.read(MAX_BYTES))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    kinds = {field.name: int if field.name == "pid" else str for field in fields(Holder)}
    if not isinstance(said, dict) or not all(isinstance(said.get(name), kind) for name, kind in kinds.items()):
        return None
    return Holder(**{name: said[name] for name in kinds})
