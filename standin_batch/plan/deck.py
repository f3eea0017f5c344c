"""The deck: a plan handed out to workers that come and go, while it is done.

At first each worker has a shard. It takes from it parcel by parcel; when it is through, it takes over what a worker
left behind, or the end of what another has still to do, where it is done sooner so. A plain data structure without a
clock: the same calls give the same parcels. One thread may use it at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from standin_batch.job import Job
from standin_batch.plan.cost import CostModel
from standin_batch.plan.hand import Hand
from standin_batch.plan.line import Line, Span
from standin_batch.plan.order import NANO
from standin_batch.plan.plan import Plan, PlannedJob
from standin_batch.plan.planner import grouped
from standin_batch.plan.sharing import longest_first, shared_out
from standin_batch.plan.steal import best_theft

PARCEL_SECONDS = 30.0
"""Of work in a parcel, about: handing out is cheap, and what was handed out cannot be given to another any more."""

MOST = 8
"""Units of a parcel."""

MOST_UNKNOWN = 4
"""The same where times were not measured."""

SHARE = 4
"""A parcel is at most this part of what its worker has left, so that the end can still be shared out."""


@dataclass(frozen=True)
class Parcel:
    """What a worker does next.

    Attributes:
        plan: a few jobs of one group, in order; all else of it is empty.
        seconds: until they are done, with what has to change hands before; None where any was not measured.
    """

    plan: Plan
    seconds: float | None

    @property
    def job_ids(self) -> tuple[str, ...]:
        """Of its jobs."""
        return tuple(item.job.job_id for item in self.plan.to_run)


class Deck:
    """The jobs of a plan that are still to be made, and who has which.

    Args:
        plan: what is to run.
        costs: of jobs and switches.
        workers: how many are expected. More or fewer may come; these have a segment from the start.

    Raises:
        ValueError: if `workers` is less than 1.
    """

    def __init__(self, plan: Plan, costs: CostModel, workers: int) -> None:
        if workers < 1:
            raise ValueError(f"{workers} workers cannot run anything")
        self._line, stations = shared_out(Line(plan, costs), workers, longest_first)
        self._orphans = [list(each.spans) for each in stations if each.spans]
        self._places = {item.job.job_id: place for place, unit in enumerate(self._line.units) for item in unit.items}
        self._left = set(self._places)
        self._waiting = [len(level) for level in self._line.levels]
        self._hands: dict[str, Hand] = {}

    @property
    def left(self) -> int:
        """Jobs that have not ended."""
        return len(self._left)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to be taken; what workers are at work on may come back."""
        return not any(self._waiting)

    @property
    def workers(self) -> tuple[str, ...]:
        """Those who are there, as they came."""
        return tuple(self._hands)

    def waits(self, worker: str) -> bool:
        """Whether a worker has nothing to do: all that it took has ended."""
        return not self._hands[worker].busy

    def at_work(self, worker: str) -> tuple[PlannedJob, ...]:
        """The jobs that a worker has taken and not ended, in order."""
        return self._to_make(self._hands[worker].busy)

    def ahead(self, worker: str, number: int) -> tuple[Job, ...]:
        """As many of the jobs that a worker is to take next, as far as that is known now."""
        spans = self._hands[worker].spans
        places = islice((place for span in spans for place in range(*span)), number)
        return tuple(item.job for item in self._to_make(places))

    def joins(self, worker: str) -> None:
        """A worker is there, with nothing in place. One that was there is a new one: what it had comes back."""
        if worker in self._hands:
            self.leaves(worker)
        self._hands[worker] = Hand(self._line)

    def leaves(self, worker: str) -> None:
        """A worker is gone: what it has not ended comes back, begun jobs first. One that never joined is ignored."""
        hand = self._hands.pop(worker, None)
        if hand is not None and (spans := hand.everything()):
            self._orphans.append(spans)
            for place in hand.busy:
                self._waiting[self._line.level_of[place]] += 1

    def ended(self, worker: str, job_ids: Iterable[str]) -> None:
        """Jobs are done, or have failed for good; whoever had them does not have them any more.

        Args:
            worker: who made them, which may be gone by now.
            job_ids: theirs; ids that are not of the plan, such as further attempts, are passed over.
        """
        hand = self._hands.get(worker, Hand(self._line))
        for job_id in job_ids:
            self._left.discard(job_id)
            place = self._places.get(job_id)
            if place is not None and place in hand.busy:
                hand.end(place, whole=not self._to_make([place]))

    def take(self, worker: str) -> Parcel | None:
        """What a worker does next, from where it stands; None where there is nothing for it now.

        A later call may have something again: when another worker leaves. Of a lower priority is taken only what is
        left when there is nothing of a higher one to be had.

        Raises:
            KeyError: if the worker has not joined.
        """
        hand = self._hands[worker]
        for level in range(len(self._line.levels)):
            while self._waiting[level] and self._has(hand, level):
                if (parcel := self._parcel(hand, level)) is not None:
                    return parcel
        return None

    def _has(self, hand: Hand, level: int) -> bool:
        """Whether it has something of a level; if not, it takes over what is without a worker, or another's."""
        return bool(hand.of(level)) or self._adopts(hand, level) or self._steals(hand, level)

    def _adopts(self, hand: Hand, level: int) -> bool:
        orphans = [spans for spans in self._orphans if any(self._line.level_of[begin] == level for begin, _ in spans)]
        if not orphans:
            return False
        chosen = min(orphans, key=lambda spans: self._for(hand, spans))
        self._orphans = [spans for spans in self._orphans if spans is not chosen]
        if hand.spans:  # its own of a lower level; of theirs others may have as much use
            rest = [span for span in chosen if self._line.level_of[span[0]] != level]
            self._orphans += [rest] if rest else []
            chosen = [span for span in chosen if span not in rest]
        hand.get(chosen)
        return True

    def _for(self, hand: Hand, spans: list[Span]) -> tuple[int, int]:
        """How well pieces suit it, the least best: by what it need not load for them, then by how much is left."""
        begin = spans[0][0]
        spared = self._line.start(None, begin) - self._line.start(hand.spot, begin)
        return -spared, -Hand(self._line).takes(spans)

    def _steals(self, hand: Hand, level: int) -> bool:
        theft = best_theft(self._line, level, hand, self._hands.values())
        if theft is not None:
            theft.victim.lose(theft.span)
            hand.get([theft.span])
        return theft is not None

    def _parcel(self, hand: Hand, level: int) -> Parcel | None:
        """The next units of its first piece; None where all of them have ended while they were nobody's."""
        first = hand.spans[0]
        size = self._size(hand, level, first)
        span = (first[0], first[0] + size)
        nanos = self._line.takes(hand.spot, span)
        hand.begin(span)
        self._waiting[level] -= size
        for place in range(*span):
            if not self._to_make([place]):
                hand.end(place)
        items = self._to_make(range(*span))
        measured = all(unit.measured for unit in self._line.units[slice(*span)])
        plan = Plan(groups=tuple(grouped(items)), done=())
        return Parcel(plan, nanos / NANO if measured else None) if items else None

    def _size(self, hand: Hand, level: int, first: Span) -> int:
        """How many units of a piece, at least one."""
        begin = first[0]
        left = hand.of(level)
        end = self._group_end(begin, min(first[1], begin + MOST))
        if not self._line.measured:
            share = sum(end - begin for begin, end in left) // SHARE
            return max(1, min(end - begin, share, MOST_UNKNOWN))
        nanos = min(int(PARCEL_SECONDS * NANO), hand.takes(left) // SHARE)
        return max(1, self._line.furthest(begin, end, nanos) - begin)

    def _group_end(self, begin: int, end: int) -> int:
        """Where other base weights begin, at the latest `end`."""
        base = self._base(begin)
        return next((place for place in self._line.changes_in(begin + 1, end - 1) if self._base(place) != base), end)

    def _base(self, place: int) -> tuple[object, ...]:
        state = self._line.states[self._line.units[place].state]
        return state.model, state.base

    def _to_make(self, places: Iterable[int]) -> tuple[PlannedJob, ...]:
        units = (self._line.units[place] for place in places)
        return tuple(item for unit in units for item in unit.items if item.job.job_id in self._left)
