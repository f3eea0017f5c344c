"""The line cut for several workers, with its order changed where that shares out better and switches hardly more.

Sets of LoRAs on the same base may follow each other in any order, and so may sizes with the same LoRAs: about as much
changes hands. So each piece can have something of each size, as few long jobs alone cannot be shared out evenly; and
the longest can come first in it, as whoever has a long one left when all others are through keeps them waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import chain, groupby

from standin_batch.plan.line import Line
from standin_batch.plan.partition import Station, stations

LOST = 0.01
"""Share of the workers' time that may be lost by another order; beyond that the plan's stays."""

FEW = 100
"""Units a worker; with more, pieces are even without being mixed."""

DEPTHS = (3, 5, 6)
"""How many of a state's fields tell the base and its modules; all weights; the size of the video as well."""

Order = Callable[[Line, Sequence[int]], Sequence[int]]
"""Places of a line, given in its order, in another."""

Cut = tuple[Line, list[Station]]
"""A line, and what each worker has of it."""


def as_planned(line: Line, places: Sequence[int]) -> Sequence[int]:
    """As they are."""
    return places


def longest_first(line: Line, places: Sequence[int], depths: Sequence[int] = DEPTHS) -> Sequence[int]:
    """Those that need the same in order of the longest job that is among them; bases stay as they are."""
    if not depths:
        return places
    runs = _runs(line, places, depths[0])
    if depths != DEPTHS:
        runs.sort(key=lambda run: -max(line.units[place].nanos for place in run))
    return list(chain.from_iterable(longest_first(line, run, depths[1:]) for run in runs))


def shared_out(line: Line, workers: int, order: Order) -> Cut:
    """Cut a line: mixed where that loses little, else as it is.

    Mixed, no piece is of long jobs only: what they take beyond what was expected adds up less, and the end is finer.

    Args:
        line: in the order of the plan.
        workers: that it is for.
        order: of each piece.
    """
    plain = line, stations(line, workers)
    planned = list(range(len(line.units)))
    orders = [planned] if len(planned) > FEW * workers else [_mixed(line), planned]
    cuts = (_cut(line, places, workers, order) for places in orders)
    return next((cut for cut in cuts if _loses_little(cut, plain)), plain)


def _loses_little(cut: Cut, plain: Cut) -> bool:
    """Whether it takes hardly more, and ends hardly later."""
    return all(what(cut) <= (1 + LOST) * what(plain) for what in (_taken, _end))


def _cut(line: Line, places: Sequence[int], workers: int, order: Order) -> Cut:
    """The line in the order of `places`, cut; and then each piece in `order`."""
    found = stations(line.reordered(places), workers)
    spans = sorted(span for station in found for span in station.spans)
    other = line.reordered([place for span in spans for place in order(line, sorted(places[slice(*span)]))])
    return other, [_again(other, station) for station in found]


def _again(line: Line, station: Station) -> Station:
    """What a worker with the same pieces takes in this order."""
    found = Station()
    for span in station.spans:
        found = found.after(line, span)
    return found


def _taken(cut: Cut) -> int:
    return sum(station.ready for station in cut[1])


def _end(cut: Cut) -> int:
    return max(station.ready for station in cut[1])


def _mixed(line: Line) -> list[int]:
    """What needs the same weights so that each part of it has about the same share of each size."""
    runs = chain.from_iterable(_runs(line, level, DEPTHS[1]) for level in line.levels)
    return [place for run in runs for place in _dealt(_runs(line, run, DEPTHS[2]))]


def _dealt(sizes: Sequence[Sequence[int]]) -> list[int]:
    """One of each in turn, of the more frequent as much more often."""
    turns = ((2 * turn + 1) / len(places) for places in sizes for turn in range(len(places)))
    return [place for _, place in sorted(zip(turns, chain.from_iterable(sizes), strict=True))]


def _runs(line: Line, places: Sequence[int], depth: int) -> list[list[int]]:
    """Neighbours whose states have the first fields in common."""
    return [list(run) for _, run in groupby(places, key=lambda place: _fields(line, place, depth))]


def _fields(line: Line, place: int, number: int) -> tuple[Hashable, ...]:
    """The first of what a unit needs, the dearest first."""
    return line.states[line.units[place].state][:number]
