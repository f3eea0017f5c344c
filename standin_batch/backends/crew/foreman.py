"""The foreman: hands out a plan to workers that come and go, and makes one run of what they tell.

A job's own fault is the job's. A worker's fault, or its death, is not: its jobs come back, and another goes on with
what was saved of them. How workers are reached is their crew's business.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from standin_batch.backends.crew.crew import Crew
from standin_batch.backends.crew.hearing import Hearing, is_workers_fault
from standin_batch.backends.crew.lost import Lost
from standin_batch.backends.crew.news import DIED, Gone, Joined, Made, News, Sent
from standin_batch.errors import NotReadyError
from standin_batch.plan.deck import Deck
from standin_batch.plan.plan import Plan
from standin_batch.plan.reason import Reason
from standin_batch.run.conduct import Desk
from standin_batch.run.events import (
    Event,
    JobCompleted,
    JobFailed,
    JobSaved,
    JobStarted,
    Prepared,
    Preparing,
    Profiled,
    Warned,
    WorkerLeft,
    WorkerStarted,
)
from standin_batch.run.failure import FIRST_PAUSE, GROWTH, LONGEST_PAUSE
from standin_batch.run.outcomes import RunEnded
from standin_batch.run.stopping import Stopped

STARTING = "starting workers"

LOOK = 0.25
"""Seconds that news are waited for, between two looks whether the run is to stop."""

WINDOW = 64
"""Jobs whose prompts a worker encodes together, before the text encoder leaves its GPU."""

LONG = 60.0
"""Seconds without any worker after which that is said."""

GRACE = 2.0
"""Seconds in which a worker that has a parcel says that it has begun a job; before that it has nothing to save."""

FRUITLESS = 4
"""Workers that end by a fault one after the other, with no clip made in between, until the run ends."""


@dataclass
class Hand:
    """One worker, as the foreman sees it.

    Attributes:
        at_work: the jobs that it has begun and not ended, by their id.
        waiting: ids of the jobs of its parcel that it has not begun.
        busy: whether it has a parcel.
        late: whether it has left jobs, as the deadline is near.
        fruitful: whether it has made or saved anything.
    """

    at_work: dict[str, JobStarted] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    busy: bool = False
    late: bool = False
    fruitful: bool = False


class Foreman:
    """Has a plan made by a crew; a `conduct.Labour`.

    Args:
        plan: that is made.
        deal: makes a deck of a plan.
        crew: that makes it.
        desk: where results go, and who is told.
        max_failures: failed jobs that end the run; None for no end.
        again: plans what is still to be made when all that was known has ended: attempts whose worker died.
    """

    def __init__(
        self,
        plan: Plan,
        deal: Callable[[Plan], Deck],
        crew: Crew,
        desk: Desk,
        max_failures: int | None,
        again: Callable[[], Plan | None] = lambda: None,
    ) -> None:
        self._deal, self._deck, self._crew, self._desk, self._again = deal, deal(plan), crew, desk, again
        self._hearing = Hearing(desk, max_failures)
        forced = frozenset(item.job.job_id for item in plan.to_run if item.reason == Reason.FORCED)
        self._lost = Lost(desk, self._hearing, forced)
        self._hands: dict[str, Hand] = {}
        self._fruitless = self._had_ended = 0
        self._hires_at = 0.0
        self._began, self._has_begun, self._warned = time.monotonic(), False, False

    def work(self) -> None:
        """Have every job made; as `conduct.Labour` has it."""
        self._desk.emit(Preparing(STARTING))
        with self._crew:
            try:
                self._make_all()
                while self._takes_up():
                    self._make_all()
            except (RunEnded, NotReadyError) as error:
                self._wind_down(str(error))
                raise
            self._crew.stop("")

    def left(self, why: str) -> None:
        """Note how far the jobs came that nobody has ended."""
        for hand in self._hands.values():
            for job in hand.at_work.values():
                self._lost.note(job, why)

    def learn(self, profiled: Profiled) -> None:
        """Nothing: where each worker's time went is not known here."""

    def _make_all(self) -> None:
        while not self._is_over():
            self._look()

    def _takes_up(self) -> bool:
        """Whether more is to be made than was known, and something came of the last time; then it is dealt out."""
        ended = len(self._desk.tally.made) + len(self._desk.tally.failed)
        if ended == self._had_ended or (plan := self._again()) is None:
            return False
        self._had_ended = ended
        self._deck = self._deal(plan)
        for worker in self._hands:
            self._deck.joins(worker)
        return True

    def _is_over(self) -> bool:
        hands = self._hands.values()
        if any(hand.busy or hand.at_work for hand in hands):
            return False
        return not self._deck.left or any(hand.late for hand in hands)

    def _warn_of_waiting(self) -> None:
        """Say once that no worker is there, after a while."""
        if self._hands or self._warned or time.monotonic() < self._began + LONG:
            return
        self._warned = True
        self._desk.emit(Warned("no worker has come yet; they are waited for", self._crew.advice))

    def _look(self) -> None:
        self._warn_of_waiting()
        if self._desk.stop.is_near(0.0):
            self._wind_down(self._desk.stop.reason)
            raise Stopped(self._desk.stop.reason)
        if time.monotonic() >= self._hires_at:
            self._crew.hire(self._deck.left)
        self._listen()
        for worker, hand in self._hands.items():
            if not hand.busy and not hand.late:
                self._hand_out(worker, hand)

    def _listen(self) -> None:
        """Hear all that is told, also what comes behind something that ends the run.

        Raises:
            RunEnded: if no further job would fare better, or enough have failed.
            NotReadyError: if nothing comes of any worker.
        """
        end: RunEnded | NotReadyError | None = None
        for worker, news in self._crew.hear(LOOK):
            try:
                self._hear(worker, news)
            except (RunEnded, NotReadyError) as error:
                end = end or error
        if end is not None:
            raise end

    def _hand_out(self, worker: str, hand: Hand) -> None:
        if (parcel := self._deck.take(worker)) is not None:
            hand.busy, hand.waiting = True, set(parcel.job_ids)
            ahead = dict.fromkeys(text for job in self._deck.ahead(worker, WINDOW) for text in job.texts)
            self._crew.give(worker, parcel.plan, tuple(ahead))

    def _wind_down(self, why: str) -> None:
        """Have what is at work saved, and wait for that: a second signal ends the waiting, nothing else does."""
        self._crew.stop(why)
        until = time.monotonic() + GRACE
        while any(hand.at_work or (hand.busy and time.monotonic() < until) for hand in self._hands.values()):
            with suppress(RunEnded, NotReadyError):
                self._listen()

    def _hear(self, worker: str, news: News) -> None:
        if isinstance(news, Joined):
            self._say_it_begins()
            self._hands[worker] = Hand()
            self._deck.joins(worker)
            self._desk.emit(WorkerStarted(worker, news.host, news.device))
        elif isinstance(news, Gone):
            self._is_gone(worker, news)
        elif isinstance(news, Sent):
            self._crew.receive(news)
        elif isinstance(news, Made):
            hand = self._hands[worker]
            hand.busy, hand.late = False, news.out_of_time
            if not hand.late:  # what it did not begin it never will
                self._deck.ended(worker, hand.waiting)
            self._desk.tally.out_of_time |= news.out_of_time
        else:
            self._is_told(worker, self._hands.get(worker, Hand()), news.event)

    def _say_it_begins(self) -> None:
        """The first worker is there."""
        if not self._has_begun:
            self._has_begun = True
            self._desk.emit(Prepared(STARTING, time.monotonic() - self._began))

    def _is_told(self, worker: str, hand: Hand, event: Event) -> None:
        if is_workers_fault(event):
            return  # its job comes back with it
        if isinstance(event, (JobStarted, JobCompleted, JobFailed)):
            hand.waiting.discard(event.job_id)
        if isinstance(event, JobStarted):
            hand.at_work[event.job_id] = event
        elif isinstance(event, (JobCompleted, JobFailed)):
            hand.at_work.pop(event.job_id, None)
            self._deck.ended(worker, [event.job_id])
        if isinstance(event, JobSaved):
            self._lost.progresses(event.job_id)
        if isinstance(event, (JobSaved, JobCompleted)):
            hand.fruitful, self._fruitless, self._hires_at = True, 0, 0.0
        self._hearing.pass_on(worker, event)

    def _is_gone(self, worker: str, gone: Gone) -> None:
        """Its jobs come back.

        Raises:
            NotReadyError: if nothing comes of any.
        """
        joined = worker in self._hands
        hand = self._hands.pop(worker, Hand())
        self._deck.leaves(worker)
        if joined or gone.kind:
            self._desk.emit(WorkerLeft(worker, gone.why if gone.kind else ""))
        for job in hand.at_work.values():
            if self._lost.is_over(worker, job, gone):
                self._deck.ended(worker, [job.job_id])
        if gone.kind and not hand.fruitful:
            self._is_fruitless(gone, joined)

    def _is_fruitless(self, gone: Gone, joined: bool) -> None:
        """Nothing came of a worker: its place stays empty for a while, or the run ends, if nothing comes of others."""
        self._fruitless += 1
        self._hires_at = time.monotonic() + min(LONGEST_PAUSE, FIRST_PAUSE * GROWTH ** (self._fruitless - 1))
        others = any(hand.at_work for hand in self._hands.values())
        never = not joined and not self._hands and gone.kind != DIED
        if never or (self._fruitless >= FRUITLESS and not others):
            raise NotReadyError(gone.why, gone.cure)
