"""What Slurm's queue says of the tasks of an array. `squeue` is asked, as there may be no accounting (`sacct`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from standin_batch.backends.slurm.client import ask_slurm

PENDING = "PENDING"

OVER = frozenset(
    (
        "BOOT_FAIL",
        "CANCELLED",
        "COMPLETED",
        "DEADLINE",
        "FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "REVOKED",
        "TIMEOUT",
    )
)
"""States that a task does not leave any more (squeue(1), "JOB STATE CODES"). One that is requeued is PENDING again."""

FORMAT = "%F|%K|%T|%N|%r"
"""Of a line: the array, the rank in it, the state, the node, and why it waits."""


@dataclass(frozen=True)
class Task:
    """A task of an array, as Slurm sees it.

    Attributes:
        array: the id of its array, or its own where that has but one task.
        rank: in the array.
        state: in Slurm's words.
        node: that it runs on, or ran on last; empty before.
        reason: why it waits, in Slurm's words; `None` where there is nothing to say.
    """

    array: str
    rank: int
    state: str
    node: str
    reason: str

    @property
    def is_over(self) -> bool:
        """Whether it has ended for good."""
        return self.state in OVER

    @property
    def waits(self) -> bool:
        """Whether it has not begun, or is to begin again."""
        return self.state == PENDING


def tasks_named(name: str) -> Mapping[int, Task]:
    """The tasks of this user's array of a name, by rank. Those that ended long ago are not among them.

    Raises:
        SlurmError: if Slurm does not say.
    """
    lines = ask_slurm("squeue", "--me", "--noheader", "--array", "--states=all", f"--name={name}", f"--format={FORMAT}")
    return {task.rank: task for task in parsed(lines.splitlines())}


def parsed(lines: Iterable[str]) -> Iterable[Task]:
    """The tasks that lines of `squeue` tell of."""
    for line in lines:
        array, rank, state, node, reason = line.strip().split("|", 4)
        yield Task(array, int(rank) if rank.isdigit() else 0, state, node, reason)


def end_waiting(array: str) -> None:
    """Take the tasks out of the queue that have not begun.

    Raises:
        SlurmError: if Slurm does not.
    """
    ask_slurm("scancel", "--state=PENDING", array)


def ask_to_save(array: str) -> None:
    """Send SIGTERM to the workers of an array, and to nothing else: they save what they have, and end by themselves.

    Raises:
        SlurmError: if Slurm does not.
    """
    ask_slurm("scancel", "--signal=TERM", array)


def cancel(array: str) -> None:
    """End all tasks of an array, whether they have saved or not.

    Raises:
        SlurmError: if Slurm does not.
    """
    ask_slurm("scancel", array)
