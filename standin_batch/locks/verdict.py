"""What is made of a name in the file of a lock: whether that holder lives, is gone, or cannot be asked.

A process of this machine is asked after. One of another machine, or of another container, is watched for signs of life.
"""

from __future__ import annotations

import time
from enum import Enum
from pathlib import Path

from standin_batch.locks.heartbeat import Rest, is_touched, was_touched
from standin_batch.locks.holder import Holder, named


class Verdict(Enum):
    """What is known of a holder."""

    ALIVE = "alive"
    GONE = "gone"
    SILENT = "silent"
    """Of another machine, without a sign of life: off, or only cut off."""


def verdict(path: Path, holder: Holder, rest: Rest = time.sleep) -> Verdict:
    """What is known of the `holder` that `path` names.

    Args:
        path: the file of the lock.
        holder: whom it names.
        rest: waits between two looks.
    """
    if holder.is_of_this_machine:
        return Verdict.ALIVE if holder.is_running else Verdict.GONE
    # A machine of the same name may have another system (a clone): the file decides, as a lock before a reboot is old.
    if is_touched(path, rest):
        return Verdict.ALIVE
    return Verdict.GONE if holder.was_before_a_reboot else Verdict.SILENT


def seems_alive(path: Path, holder: Holder) -> bool:
    """Whether the `holder` that `path` names lives, as far as can be told without waiting."""
    return holder.is_running if holder.is_of_this_machine else was_touched(path)


def judged(path: Path, rest: Rest = time.sleep) -> tuple[Holder, Verdict] | None:
    """Whom `path` names, and what is known of that one; None where it names nobody (any more)."""
    while (found := named(path)) is not None:
        known = verdict(path, found, rest)
        if known is not Verdict.ALIVE or named(path) == found:
            return found, known
    return None
