"""What can go wrong, as values a user can act on: a message, a cure and an exit code.

Each layer defines its own subclasses beside the code that raises them; `cli.main` is the one place that catches.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the shell (a timer, a Makefile, a scheduler) is told."""

    OK = 0
    JOBS_FAILED = 1
    USAGE = 2
    NOT_READY = 3
    LOCKED = 4
    STOPPED = 75


class StandinError(Exception):
    """An error that a user can act on.

    Attributes:
        message: what is wrong, in one sentence without a final full stop.
        hint: what to do about it; may be empty.
        exit_code: what the process leaves with when nothing else catches it.
    """

    exit_code: ExitCode = ExitCode.JOBS_FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(StandinError):
    """The command line is wrong."""

    exit_code = ExitCode.USAGE


class NotReadyError(StandinError):
    """The machine is not ready: weights, GPU, disk or libraries."""

    exit_code = ExitCode.NOT_READY
