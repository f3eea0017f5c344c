"""The line cut into a piece for each worker, so that the last of them is done as early as can be.

A switch by a detour is never shorter than the direct one, so to begin a piece later is never to end it later: for a
given end, each worker does best to take as much as it can until then, and the earliest end for which that suffices is
found by halving (the linear partition problem, with a cost to begin each part).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from standin_batch.plan.line import Line, Span, Spot

NEAR = 1000
"""Units by which a border may be moved from where pieces are even: it is a finer point, and has to be quick."""


@dataclass(frozen=True)
class Station:
    """Where a worker stands before it begins a level.

    Attributes:
        ready: nanoseconds after the start.
        spot: what it has in place.
        spans: its pieces of the levels before.
    """

    ready: int = 0
    spot: Spot = None
    spans: tuple[Span, ...] = ()

    def end(self, line: Line, begin: int, stop: int, by: int) -> int:
        """How far it comes from `begin` until the time `by`."""
        return line.furthest(begin, stop, by - self.ready - line.start(self.spot, begin)) if begin < stop else begin

    def after(self, line: Line, span: Span) -> Station:
        """The same when it has done a piece."""
        if span[0] == span[1]:
            return self
        return Station(self.ready + line.takes(self.spot, span), line.spot(span[1]), (*self.spans, span))


def stations(line: Line, workers: int) -> list[Station]:
    """What each of `workers` does of each level; those that nothing is gained by have no pieces.

    Each level is cut so that it is done as early as can be by workers that come from the level before; with one level
    no other cut of the line ends earlier. Of cuts that end as early, few pieces are taken, and then borders at which
    much changes anyway.
    """
    found = [Station()] * workers
    for level in line.levels:
        orders = (range(workers), _matched(line, level, found))
        found = min((_level(line, level, found, order) for order in orders), key=_last)
    return found


def _last(found: Sequence[Station]) -> int:
    return max(station.ready for station in found)


def _level(line: Line, level: range, found: Sequence[Station], order: Sequence[int]) -> list[Station]:
    """All stations after `level`, whose pieces they are given in `order`."""
    after = list(found)
    spans = cut(line, level, [found[number] for number in order])
    for number, span in zip(order, spans, strict=False):
        after[number] = found[number].after(line, span)
    return after


def _matched(line: Line, level: range, found: Sequence[Station]) -> list[int]:
    """The stations by where in the level there is most of what they have in place: states name the dearest first."""
    places: dict[tuple[object, ...], int] = {}
    for place in (level.start, *line.changes_in(level.start + 1, level.stop - 1)):
        state = line.states[line.units[place].state]
        for depth in range(2, len(state) + 1):
            places.setdefault(state[:depth], place)

    def first(number: int) -> tuple[int, int]:
        spot = found[number].spot
        state = () if spot is None else line.states[spot]
        known = (places[state[:depth]] for depth in range(len(state), 1, -1) if state[:depth] in places)
        return next(known, level.stop), found[number].ready

    return sorted(range(len(found)), key=first)


def cut(line: Line, level: range, workers: Sequence[Station]) -> list[Span]:
    """The pieces of `level` that the first of `workers` take, in their order; the others are not needed."""
    by = _earliest(line, level, workers)
    needed = workers[: len(_filled(line, level, workers, by))]
    return list(pairwise(_borders(line, level, needed, by)))


def _earliest(line: Line, level: range, workers: Sequence[Station]) -> int:
    """When the level can be done: at the latest when the first worker has done it alone."""
    early, late = 0, workers[0].after(line, (level.start, level.stop)).ready
    while early < late:
        middle = (early + late) // 2
        if _filled(line, level, workers, middle)[-1] == level.stop:
            late = middle
        else:
            early = middle + 1
    return late


def _filled(line: Line, level: range, workers: Sequence[Station], by: int) -> list[int]:
    """How far each worker comes until `by` when each takes all it can."""
    ends: list[int] = []
    for worker in workers:
        ends.append(worker.end(line, ends[-1] if ends else level.start, level.stop, by))
        if ends[-1] == level.stop:
            break
    return ends


def _borders(line: Line, level: range, workers: Sequence[Station], by: int) -> list[int]:
    """Where pieces begin and end, so that all are done by `by`: within what that leaves free, where it costs least."""
    needed = _needed(line, level, workers, by)
    borders = [level.start]
    for number in range(len(workers) - 1):
        last = workers[number].end(line, borders[-1], level.stop, by)
        first = max(borders[-1], needed[number + 1])
        even = line.nearest(borders[-1], level.stop, _even(line, (borders[-1], level.stop), workers[number:]))
        borders.append(_best(line, (first, last), min(max(even, first), last), workers[number + 1]))
    return [*borders, level.stop]


def _needed(line: Line, level: range, workers: Sequence[Station], by: int) -> list[int]:
    """For each worker the place from which on it and those behind it can do the rest by `by`."""
    places = [level.stop]
    for worker in reversed(workers):
        end = places[-1]
        early = lambda place: worker.after(line, (place, end)).ready <= by  # noqa: B023, E731 - used at once
        places.append(level.start + bisect_left(range(level.start, end), True, key=early))
    return places[::-1]


def _even(line: Line, rest: Span, workers: Sequence[Station]) -> int:
    """What the first of `workers` would take of the rest if all ended together."""
    ready = sum(worker.ready for worker in workers)
    return (ready + line.within(*rest)) // len(workers) - workers[0].ready


def _best(line: Line, within: Span, even: int, following: Station) -> int:
    """The border at which a new piece costs least beyond what the line switches there; of equal ones the most even."""

    def cost(place: int) -> tuple[int, int, int]:
        more = line.start(following.spot, place) - line.start(line.spot(place), place) if place < len(line.units) else 0
        return more, abs(place - even), place

    return min({even, *line.changes_in(max(within[0], even - NEAR), min(within[1], even + NEAR))}, key=cost)
