"""The crew of an array, as the driver sees it: what its workers tell, and which of its tasks Slurm still has."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

from standin_batch.backends.crew.by_record import made
from standin_batch.backends.crew.hearing import Hearing
from standin_batch.backends.crew.news import Gone, Joined, Made, News, Told
from standin_batch.backends.crew.news_lines import NewsFile
from standin_batch.backends.slurm.array import Array, events_file, forget, workers_of
from standin_batch.backends.slurm.never_began import never_began
from standin_batch.backends.slurm.present import Present
from standin_batch.backends.slurm.queue import ask_to_save, cancel, end_waiting
from standin_batch.backends.slurm.watched import WatchedTasks
from standin_batch.errors import NotReadyError
from standin_batch.files import write_atomic
from standin_batch.run.conduct import Desk
from standin_batch.run.events import Profiled, Warned
from standin_batch.run.failure import ENDING
from standin_batch.run.outcomes import RunEnded
from standin_batch.run.preparing import preparing

logger = logging.getLogger(__name__)

LOOK, LOOK_EACH = 0.5, 0.01
"""Seconds between two looks at what workers have told: at least, and for each worker, as each has a file of its own."""

LATE = 75.0
"""Seconds after which also new folders are seen that a task made elsewhere: NFS may remember for 60 (nfs(5),
`acdirmax`) what a folder had. Files that are known are looked at anew whenever they are opened."""


class ArrayCrew:
    """Has the jobs of an array made; a `conduct.Labour`.

    Args:
        array: that is submitted.
        desk: where results go, and who is told.
        max_failures: failed jobs that end the run; None for no end.
        found: whether it was submitted by an earlier driver: then some of it has happened.
        put_in_order: looks at clips that nobody has looked at, once no worker writes any more, and adds to the run
            what follows from them.
    """

    def __init__(
        self,
        array: Array,
        desk: Desk,
        max_failures: int | None,
        *,
        found: bool,
        put_in_order: Callable[[], object] = lambda: None,
    ) -> None:
        self._array, self._desk, self._hearing = array, desk, Hearing(desk, max_failures)
        self._layout = desk.store.layout
        self._files: dict[str, NewsFile] = {}
        self._gone: dict[int, Gone] = {}
        self._heard = set[int]()
        self._tasks = WatchedTasks(array, desk.emit)
        self._ends = False
        self._present = Present(self._tasks, desk.emit, lambda: self._ends or desk.stop.requested)
        self._found, self._put_in_order = found, put_in_order

    def work(self) -> None:
        """Listen until all tasks have ended; as `conduct.Labour` has it."""
        try:
            if self._found:
                with preparing(self._desk.emit, f"listening to the array {self._array.id}, which is at work already"):
                    self._catch_up()
            while not self._is_over():
                self._desk.stop.wait(self._pause)
                self._look()
            self._present.look(last=True)
            self._count()
        except (RunEnded, KeyboardInterrupt):
            self._wind_down()
            raise
        forget(self._layout, self._array)
        self._ended()

    def left(self, why: str) -> None:
        """Nothing: each worker notes that of its own jobs, in its own journal."""

    def learn(self, profiled: Profiled) -> None:
        """Nothing: where each worker's time went is not known here."""

    @property
    def _pause(self) -> float:
        return max(LOOK, LOOK_EACH * len(self._array.shards))

    def _is_over(self) -> bool:
        return all(self._has_ended(rank) for rank in range(len(self._array.shards)))

    def _has_ended(self, rank: int) -> bool:
        """Whether nothing more comes of a rank: its shard is made, or Slurm does not have its task any more."""
        gone = self._gone.get(rank)
        if gone is not None and not gone.kind:
            return True
        if self._tasks.has(rank):
            return False
        return rank in self._gone or rank in self._heard or self._tasks.over_for(rank) > LATE

    def _look(self) -> None:
        """What Slurm says first, then what the workers tell: who is gone by the first has told all by the second."""
        if self._tasks.look():
            self._present.look()
        self._listen()
        for rank in filter(self._tasks.waits, self._heard & self._unfinished()):
            # What was heard is of a worker before: one that follows is heard of, or has not begun.
            self._heard.discard(rank)
            self._gone.pop(rank, None)

    def _listen(self) -> None:
        for worker, rank in workers_of(self._layout, self._array.id).items():
            for news in self._file(worker).new():
                self._hear(worker, rank, news)

    def _file(self, worker: str) -> NewsFile:
        return self._files.setdefault(worker, NewsFile(events_file(self._layout, worker)))

    def _catch_up(self) -> None:
        """Hear of this run's jobs what was told before this driver came: what is made already is none of them."""
        for worker, rank in workers_of(self._layout, self._array.id).items():
            told = list(self._file(worker).new())
            has_left = any(isinstance(news, Gone) for news in told)
            for news in told:
                if isinstance(news, Told):
                    if getattr(news.event, "job_id", "") in self._desk.tally.planned:
                        self._hear(worker, rank, news)
                elif not has_left:
                    self._hear(worker, rank, news)
                elif isinstance(news, Gone):
                    self._gone[rank] = news

    def _count(self) -> None:
        """Take for made what is, though its worker was killed before it could say so, or its disk was full then."""
        if not (self._found or self._desk.tally.remaining):
            return
        self._put_in_order()
        last = {rank: worker for worker, rank in workers_of(self._layout, self._array.id).items()}
        tally = self._desk.tally
        for job_id in sorted(tally.planned - tally.made.keys() - tally.failed):
            event = None if self._array.forced else made(self._layout, job_id)
            if event is not None:
                self._hearing.pass_on(last.get(self._array.rank_of(job_id), ""), event)

    def _unfinished(self) -> set[int]:
        return {rank for rank in range(len(self._array.shards)) if rank not in self._gone or self._gone[rank].kind}

    def _hear(self, worker: str, rank: int, news: News) -> None:
        self._heard.add(rank)
        if isinstance(news, Joined):
            self._gone.pop(rank, None)
            self._present.joins(worker, rank, news)
        elif isinstance(news, Gone):
            self._gone[rank] = news
            self._present.leaves(worker, news)
        elif isinstance(news, Made):
            self._desk.tally.out_of_time |= news.out_of_time
        elif isinstance(news, Told):
            self._hearing.pass_on(worker, news.event)

    def _wind_down(self) -> None:
        """Have all workers save what they have, and wait for that. A second signal ends them at once.

        Raises:
            Stopped: at a second signal.
        """
        self._ends = True
        try:
            with suppress(OSError, NotReadyError):  # a full disk
                write_atomic(self._layout.array.stop, "")  # for those that begin only now
            self._tasks.ask(end_waiting)
            self._tasks.ask(ask_to_save)
            while not all(rank in self._gone or not self._tasks.has(rank) for rank in range(len(self._array.shards))):
                self._look_on()
                time.sleep(self._pause)
            self._look_on()
            self._present.look(last=True)
            forget(self._layout, self._array)
        except KeyboardInterrupt:
            self._tasks.ask(cancel)
            raise

    def _look_on(self) -> None:
        """A look, when the run ends anyway: that further jobs fail does not end it again."""
        try:
            self._look()
        except RunEnded as ended:
            logger.info("while the workers end: %s", ended)

    def _ended(self) -> None:
        """All tasks have ended: say so of those that have left jobs.

        Raises:
            NotReadyError: if a machine lacks something, or no worker could begin.
        """
        desk = self._desk
        if not desk.tally.remaining or desk.tally.out_of_time:
            return
        for gone in self._gone.values():
            if gone.kind in {kind.value for kind in ENDING}:
                raise NotReadyError(gone.why, gone.cure)
        early = sorted(self._unfinished())
        number = len(self._array.shards)
        told = f"{len(early)} of {number} tasks have ended early: {self._tasks.listed(early)}"
        if not early:
            told = "all tasks have ended, and not all jobs are made"
        unable = never_began(self._array, self._layout, self._tasks.states, self._gone)
        told += f"; {unable}" if unable else ""
        desk.emit(Warned(told, f"look into {self._layout.array.tasks}; the same command makes what is left"))
        desk.stop.request("tasks that ended early")
