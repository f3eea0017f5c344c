"""Tasks that wait for nodes: how many do, and why, told now and then. A full queue is no fault, but good to know."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable

from standin_batch.backends.slurm.queue import Task
from standin_batch.run.events import Listener, Warned

AFTER = 15.0
"""Seconds for which tasks wait until it is told: where there is room, Slurm begins within its next turn or two."""

AGAIN = 60.0
"""Seconds between two times that it is told, at least: in a busy queue the reasons change all the time."""

USUAL = frozenset(("Priority", "Resources", "BeginTime", "Cleaning"))
"""Why tasks wait that wait for no more than their turn (squeue(1), "JOB REASON CODES")."""

NO_REASON = frozenset(("None", ""))
"""What Slurm says before it has thought of a task."""


class Waiting:
    """Tells who waits in the queue.

    Args:
        emit: is told.
        workers: of the array, in all.
        clock: in seconds.
    """

    def __init__(self, emit: Listener, workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._emit, self._workers, self._clock = emit, workers, clock
        self._since: float | None = None
        self._told: Counter[str] = Counter()
        self._told_at = float("-inf")

    def look(self, tasks: Iterable[Task]) -> None:
        """Tell of those among the tasks of an array that wait, if that is new, and they have waited for a while."""
        waiting, now = [task for task in tasks if task.waits], self._clock()
        if not waiting:
            self._since, self._told = None, Counter()
            return
        self._since = now if self._since is None else self._since
        reasons = Counter(task.reason for task in waiting)
        if reasons != self._told and now >= max(self._since + AFTER, self._told_at + AGAIN):
            self._told, self._told_at = reasons, now
            self._tell(reasons, waiting[0].array)

    def _tell(self, reasons: Counter[str], array: str) -> None:
        told = f"Slurm keeps {reasons.total()} of {self._workers} workers waiting: {_listed(reasons)}"
        is_usual = reasons.keys() <= USUAL | NO_REASON
        self._emit(Warned(told, f"squeue --start --jobs={array}" if is_usual else f"scontrol show job {array}"))


def _listed(reasons: Counter[str]) -> str:
    """The reasons, the most frequent first, with how many wait for each where there are several."""
    words = {reason: "it has not said why" if reason in NO_REASON else reason for reason in reasons}
    if len(reasons) == 1:
        return next(iter(words.values()))
    return ", ".join(f"{words[reason]} ({number})" for reason, number in reasons.most_common())
