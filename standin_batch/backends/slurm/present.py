"""Which workers of an array are shown as at work, and how each of them leaves: by its own word, or by Slurm's.

A worker that was killed says nothing any more, and one that got SIGTERM does not know whether its task begins again.
"""

from __future__ import annotations

from collections.abc import Callable

from standin_batch.backends.crew.news import Gone, Joined
from standin_batch.backends.slurm.task import STOPPED
from standin_batch.backends.slurm.watched import WatchedTasks
from standin_batch.run.events import Listener, WorkerLeft, WorkerStarted

REQUEUED = "requeued by Slurm"


class Present:
    """The workers that are at work.

    Args:
        tasks: of the array.
        emit: is told who comes and leaves.
        is_ending: says whether the whole run is to stop. Where it is not, Slurm knows why a worker was stopped.
    """

    def __init__(self, tasks: WatchedTasks, emit: Listener, is_ending: Callable[[], bool]) -> None:
        self._tasks, self._emit, self._is_ending = tasks, emit, is_ending
        self._ranks: dict[str, int] = {}
        self._stopped: dict[str, Gone] = {}
        self._over = set[str]()
        self._left = set[str]()

    def joins(self, worker: str, rank: int, news: Joined) -> None:
        """A worker is there. One of its rank before it is not, whatever that said."""
        for before in [name for name, its in self._ranks.items() if its == rank]:
            self._leave(before, REQUEUED, again=True)
        self._ranks[worker] = rank
        self._emit(WorkerStarted(worker, news.host, news.device))

    def leaves(self, worker: str, gone: Gone) -> None:
        """A worker says that it is gone."""
        if worker in self._left:
            return
        if gone.kind == STOPPED and worker in self._ranks and not self._is_ending():
            self._stopped[worker] = gone
        else:
            self._leave(worker, self._own_words(gone))

    def look(self, *, last: bool = False) -> None:
        """Let those leave that Slurm has ended, or starts again, and that have said nothing until it said so twice.

        To be called when Slurm has answered, and before workers are listened to: who is known then was there already
        when Slurm was asked.

        Args:
            last: whether nothing more is to be waited for.
        """
        for worker, rank in tuple(self._ranks.items()):
            if self._tasks.has(rank) and not self._tasks.waits(rank):
                self._over.discard(worker)
            elif last or worker in self._over | self._stopped.keys():
                self._leave(worker, *self._fate(worker, rank))
            else:
                self._over.add(worker)

    def _fate(self, worker: str, rank: int) -> tuple[str, bool]:
        """Why it is gone, and whether its task begins again."""
        if self._tasks.waits(rank):
            return REQUEUED, True
        state = self._tasks.states.get(rank, "")
        if worker in self._stopped and (state == "COMPLETED" or self._is_ending()):
            return self._own_words(self._stopped[worker]), False
        return f"Slurm has ended it: {state}" if state else "Slurm does not know it any more", False

    def _own_words(self, gone: Gone) -> str:
        return "" if gone.kind == STOPPED and self._is_ending() else gone.why

    def _leave(self, worker: str, why: str, again: bool = False) -> None:
        self._ranks.pop(worker, None)
        self._stopped.pop(worker, None)
        self._over.discard(worker)
        self._left.add(worker)
        self._emit(WorkerLeft(worker, why, again))
