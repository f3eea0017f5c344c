"""The error of a lock that somebody else holds."""

from __future__ import annotations

import shlex
from pathlib import Path

from standin_batch.errors import ExitCode, StandinError
from standin_batch.locks.holder import Holder
from standin_batch.locks.verdict import Verdict


class HeldError(StandinError):
    """Another process holds the lock.

    Attributes:
        holder: that process; None where it has not said yet who it is.
        cure: what to do about a holder that gives no sign of life and cannot be overridden safely; empty otherwise.
    """

    exit_code = ExitCode.LOCKED

    def __init__(self, path: Path, holder: Holder | None, cure: str = "") -> None:
        super().__init__(f"{who(holder)}, holds {path}", cure or "wait for it")
        self.holder, self.cure = holder, cure


def who(holder: Holder | None) -> str:
    """How people are told of a holder."""
    return "another process" if holder is None else str(holder)


def refuse_living(path: Path, holder: Holder, known: Verdict) -> None:
    """Refuse to override whoever may live.

    Raises:
        HeldError: if the holder lives, or says nothing; then with the cure.
    """
    if known is Verdict.ALIVE:
        raise HeldError(path, holder)
    if known is Verdict.SILENT:
        cure = f"rm {shlex.quote(str(path))}  # if {holder.host} is off, or no process {holder.pid} is at work there"
        raise HeldError(path, holder, cure)
