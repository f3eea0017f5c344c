"""The tasks of an array as they are watched: Slurm is asked now and then, and says which of them it still has."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping

from standin_batch.backends.slurm.array import Array
from standin_batch.backends.slurm.client import SlurmError
from standin_batch.backends.slurm.queue import Task, tasks_named
from standin_batch.backends.slurm.waiting import Waiting
from standin_batch.run.events import Listener

logger = logging.getLogger(__name__)

ASKS = 5.0
"""Seconds between two questions to Slurm, whose controller answers all of a cluster's users."""

SHOWN = 5
"""Tasks that are named one by one."""


class WatchedTasks:
    """The tasks of an array.

    Args:
        array: that is submitted.
        emit: is told how many tasks wait, and why.
    """

    def __init__(self, array: Array, emit: Listener) -> None:
        self._array, self._waiting = array, Waiting(emit, len(array.shards))
        self._tasks: Mapping[int, Task] | None = None
        self._asks_at = 0.0
        self._over_since: dict[int, float] = {}
        self._began = set[int]()

    def look(self) -> bool:
        """Ask Slurm, if it is time to; whether it has answered. Where it does not, as it is started anew, all stays."""
        if time.monotonic() < self._asks_at:
            return False
        self._asks_at = time.monotonic() + ASKS
        try:
            self._tasks = tasks_named(self._array.name)
        except SlurmError as error:
            logger.warning("%s (%s)", error.message, error.hint)
            return False
        self._note(self._tasks)
        self._waiting.look(self._tasks.values())
        return True

    def has(self, rank: int) -> bool:
        """Whether Slurm has a task, or may have, as far as is known."""
        return self._tasks is None or (rank in self._tasks and not self._tasks[rank].is_over)

    def waits(self, rank: int) -> bool:
        """Whether a task is to begin, or to begin again."""
        return rank in (self._tasks or {}) and (self._tasks or {})[rank].waits

    def over_for(self, rank: int) -> float:
        """Seconds since a task was first seen to be over after it was at work on a node; endless if it never was."""
        return time.monotonic() - self._over_since[rank] if rank in self._began & self._over_since.keys() else math.inf

    def _note(self, tasks: Mapping[int, Task]) -> None:
        for rank, task in tasks.items():
            if task.waits:
                self._began.discard(rank)
            elif task.node:
                self._began.add(rank)
        for rank in range(len(self._array.shards)):
            if self.has(rank):
                self._over_since.pop(rank, None)
            else:
                self._over_since.setdefault(rank, time.monotonic())

    @property
    def states(self) -> Mapping[int, str]:
        """The last states of the tasks that Slurm knows of, by rank."""
        return {rank: task.state for rank, task in sorted((self._tasks or {}).items())}

    def listed(self, ranks: Iterable[int]) -> str:
        """Tasks as people are told of them, with their last states."""
        known = self._tasks or {}
        shown = [f"{rank} ({known[rank].state if rank in known else 'gone'})" for rank in ranks]
        return ", ".join(shown[:SHOWN]) + (f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else "")

    def ask(self, what: Callable[[str], None]) -> None:
        """Ask Slurm for something that it refuses where nothing is left to do, and look again soon."""
        self._asks_at = 0.0
        try:
            what(self._array.id)
        except SlurmError as error:
            logger.info("%s", error.message)
