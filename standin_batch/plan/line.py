"""The jobs of a plan in a line, and what each piece of it takes: what shards and the deck cut.

The plan's order is a path of least switching, so a piece of it switches little, too. What a piece takes is told in
whole nanoseconds, from sums that are made once: all pieces are told as quickly, and equal ones are seen to be equal.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise

from standin_batch.attempts import attempt
from standin_batch.plan.cost import CostModel
from standin_batch.plan.order import NANO
from standin_batch.plan.plan import Plan, PlannedJob
from standin_batch.plan.state import State, state_of
from standin_batch.plan.work import job_flop

Span = tuple[int, int]
"""A piece of the line: its first unit, and the one behind its last; both of one level."""

Spot = int | None
"""What a worker has in place, as the line numbers states; None at its start."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What is never parted: a job, or all attempts of one, which are judged together.

    Attributes:
        items: in the order of the plan.
        state: number of the state that they need.
        nanos: that they take without switches, and without what is saved of them.
        measured: whether that was measured; else it is their work at an assumed rate.
    """

    items: tuple[PlannedJob, ...]
    state: int
    nanos: int
    measured: bool


class Line:
    """The units of a plan in order.

    Args:
        plan: what is to run.
        costs: of jobs and switches.

    Attributes:
        units: in order.
        states: by their numbers.
        levels: the places of each priority's units; each level is to be finished before the next.
        level_of: number of the level of each unit.
        changes: places of units that need another state than those before them.
        measured: whether the times of all units were.
    """

    def __init__(self, plan: Plan, costs: CostModel) -> None:
        self._costs = costs
        self._numbers: dict[State, int] = {}
        self._switches: dict[tuple[Spot, int], int] = {}
        levels = [list(self._units(items)) for _, items in groupby(plan.to_run, key=lambda item: item.job.priority)]
        ends = list(accumulate(map(len, levels), initial=0))
        self.units = [unit for level in levels for unit in level]
        self.states = tuple(self._numbers)
        self.levels = tuple(range(*ends) for ends in pairwise(ends))
        self.level_of = [number for number, level in enumerate(levels) for _ in level]
        self.measured = all(unit.measured for unit in self.units)
        self._sum()

    def reordered(self, places: Sequence[int]) -> Line:
        """The same with its units in another order, in which none changes its level."""
        other = copy(self)
        other.units = [self.units[place] for place in places]
        other._sum()
        return other

    def start(self, spot: Spot, place: int) -> int:
        """Nanoseconds until the unit at `place` can begin."""
        key = (spot, self.units[place].state)
        if key not in self._switches:
            before = None if spot is None else self.states[spot]
            self._switches[key] = round(self._costs.switch_seconds(before, self.states[key[1]]) * NANO)
        return self._switches[key]

    def within(self, begin: int, end: int) -> int:
        """Nanoseconds of a piece, from when its first unit can begin."""
        return self._reached[end] - self._passed[begin] if end > begin else 0

    def takes(self, spot: Spot, span: Span) -> int:
        """Nanoseconds of a piece for who has `spot` in place."""
        return self.start(spot, span[0]) + self.within(*span)

    def furthest(self, begin: int, end: int, nanos: int) -> int:
        """Behind the last unit before `end` that is done `nanos` after the one at `begin` could begin."""
        return max(begin, bisect_right(self._reached, nanos + self._passed[begin], begin + 1, end + 1) - 1)

    def nearest(self, begin: int, end: int, nanos: int) -> int:
        """The end of a piece from `begin` that comes nearest to taking `nanos`; not beyond `end`."""
        low = self.furthest(begin, end, nanos)
        beyond = low < end and self.within(begin, low + 1) - nanos < nanos - self.within(begin, low)
        return low + beyond

    def changes_in(self, begin: int, end: int) -> Sequence[int]:
        """The places from `begin` to `end`, that too, where the state changes."""
        return self.changes[bisect_left(self.changes, begin) : bisect_right(self.changes, end)]

    def spot(self, place: int) -> int:
        """What is in place when the unit before `place` is done."""
        return self.units[place - 1].state

    def items(self, span: Span) -> tuple[PlannedJob, ...]:
        """The jobs of a piece."""
        return tuple(item for unit in self.units[slice(*span)] for item in unit.items)

    def _state(self, place: int) -> int:
        return self.units[place].state

    def _sum(self) -> None:
        """What depends on the order.

        `_passed[i]`: nanoseconds of all units before i and of all switches up to it; `_reached[i]`: without the last.
        """
        self.changes = [place for place in range(1, len(self.units)) if self._state(place) != self._state(place - 1)]
        worked = list(accumulate((unit.nanos for unit in self.units), initial=0))
        steps = (self.start(self.spot(place), place) for place in range(1, len(self.units)))
        moved = [0, *accumulate(steps, initial=0)]
        self._reached = [work + moves for work, moves in zip(worked, moved, strict=False)]
        self._passed = [work + moves for work, moves in zip(worked, moved[1:], strict=False)]

    def _units(self, items: Iterable[PlannedJob]) -> Iterator[Unit]:
        together: dict[str, list[PlannedJob]] = {}
        for item in items:
            together.setdefault(attempt(item.job, 0).job_id, []).append(item)
        for several in together.values():
            times = [self._costs.job_seconds(item.job) for item in several]
            state = self._numbers.setdefault(state_of(several[0].job), len(self._numbers))
            yield Unit(tuple(several), state, sum(map(self._nanos, several, times)), None not in times)

    def _nanos(self, item: PlannedJob, seconds: float | None) -> int:
        whole = job_flop(item.job) / self._costs.rates.flop if seconds is None else seconds
        return round(whole * (1 - item.reason.saved) * NANO)
