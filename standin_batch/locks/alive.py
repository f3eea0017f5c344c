"""Which process of this machine is meant: its id alone is not enough, as ids come again, also after a reboot.

Whether a process of another machine lives cannot be asked; `heartbeat` watches its file.
"""

from __future__ import annotations

import os
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Drawn anew at each start of the system (random(4))."""

PID_NAMESPACE = Path("/proc/self/ns/pid")
"""Ids mean nothing outside of it (pid_namespaces(7)): containers have their own."""


def is_alive(pid: int, born_then: str = "") -> bool:
    """Whether a process of this machine is there, and the same as then.

    One that has ended and that its parent has not asked after yet is not: in a container that may be for ever. One of
    another user, of whom the system tells nothing but that it is there (hidepid in proc(5)), is taken for the same.

    Args:
        pid: its id.
        born_then: what `born` said of it; empty where that is not known.
    """
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    born_now = born(pid)
    return _stat(pid, _STATE) not in _ENDED and ("" in (born_then, born_now) or born_then == born_now)


def born(pid: int) -> str:
    """When the system started a process, in ticks since it booted; empty where it does not say."""
    return _stat(pid, _STARTTIME)


_STATE, _STARTTIME = 0, 19
"""Of the fields of /proc/PID/stat behind the name (proc_pid_stat(5))."""

_ENDED = ("Z", "X")
"""States of a process that has ended: zombie, dead."""


def _stat(pid: int, field: int) -> str:
    try:
        # The name before it is in parentheses and may hold anything.
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[field]
    except (OSError, IndexError):
        return ""


def boot() -> str:
    """Which start of the system this is; empty where it does not say."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


def namespace() -> str:
    """In which namespace the ids of processes are this process's; empty where the system does not say."""
    try:
        return str(PID_NAMESPACE.readlink())
    except OSError:
        return ""
