"""The jobs of a group that are still to be made: in order, those that are tried again after their pause."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from threading import Lock

from standin_batch.job import Job
from standin_batch.plan.state import state_of


@dataclass(frozen=True)
class Turn:
    """A job that is to be made.

    Attributes:
        job: the job.
        attempt: how often it will have been tried for faults that may pass; from 1.
        not_before: as `time.monotonic` has it.
    """

    job: Job
    attempt: int = 1
    not_before: float = 0.0

    def again(self, after: float) -> Turn:
        """The next attempt, when `after` seconds have passed."""
        return replace(self, attempt=self.attempt + 1, not_before=time.monotonic() + after)


class JobQueue:
    """Jobs in order. What is put back comes after all others, once its pause is over.

    Args:
        jobs: in their order.
        wait: for a number of seconds.
    """

    def __init__(self, jobs: Iterable[Job], wait: Callable[[float], None]) -> None:
        self._turns = [Turn(job) for job in jobs]
        self._wait = wait
        self._changing = Lock()

    @property
    def is_empty(self) -> bool:
        """Whether no job is left to take."""
        return not self._turns

    def add(self, job: Job) -> None:
        """One more job, after the last one that needs the same in place, or after all; another thread may say so."""
        state = state_of(job)
        with self._changing:
            like = (place for place, turn in enumerate(self._turns, 1) if state_of(turn.job) == state)
            self._turns.insert(max(like, default=len(self._turns)), Turn(job))

    def put_back(self, turn: Turn) -> None:
        """Try a job again."""
        with self._changing:
            self._turns.append(turn)

    def put_first(self, turns: Sequence[Turn]) -> None:
        """Have these before all others."""
        with self._changing:
            self._turns[:0] = turns

    def take(self, number: int, like: Callable[[Turn], Hashable]) -> list[Turn]:
        """The next jobs; none when all are made. Waits where only pauses are left.

        Args:
            number: at most.
            like: what those that are taken together have in common.
        """
        while self._turns:
            now = time.monotonic()
            with self._changing:
                if taken := self._ready(now, number, like):
                    return taken
                pause = min(turn.not_before for turn in self._turns) - now
            self._wait(pause)
        return []

    def _ready(self, now: float, number: int, like: Callable[[Turn], Hashable]) -> list[Turn]:
        ready = (turn for turn in self._turns if turn.not_before <= now)
        first = next(ready, None)
        if first is None:
            return []
        wanted = like(first)
        taken = [first, *islice((turn for turn in ready if like(turn) == wanted), number - 1)]
        for turn in taken:
            self._turns.remove(turn)
        return taken
