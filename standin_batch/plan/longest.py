"""The longest first, where that changes little: so that what is left for the end can be shared out evenly.

Whoever has a long job left when all others are through keeps them waiting. Within a piece of the line, sets of LoRAs on
the same base may follow each other in any order, and so may sizes with the same LoRAs: about as much changes hands.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import chain, groupby

from standin_batch.plan.line import Line, Span

LOST = 0.01
"""Share of its time that a line may lose by it; beyond that it stays as it is."""

DEPTHS = (3, 5, 6)
"""How many of a state's fields tell the base and its modules; all weights; the size of the video as well."""


def longest_first(line: Line, spans: Iterable[Span]) -> Line:
    """The line, in each piece of which those that need the same come in order of the longest job that is among them.

    Args:
        line: in the order of the plan.
        spans: pieces, which together are all of it. Each keeps its units.
    """
    other = line.reordered([place for span in sorted(spans) for place in _ordered(line, range(*span), DEPTHS)])
    return other if _taken(other) <= (1 + LOST) * _taken(line) else line


def _taken(line: Line) -> int:
    return sum(line.within(level.start, level.stop) for level in line.levels)


def _ordered(line: Line, places: Sequence[int], depths: Sequence[int]) -> Sequence[int]:
    """Those that have the first fields of their states in common stay together; bases stay as they are."""
    if not depths:
        return places
    runs = [list(run) for _, run in groupby(places, key=lambda place: _fields(line, place, depths[0]))]
    if depths != DEPTHS:
        runs.sort(key=lambda run: -max(line.units[place].nanos for place in run))
    return list(chain.from_iterable(_ordered(line, run, depths[1:]) for run in runs))


def _fields(line: Line, place: int, number: int) -> tuple[Hashable, ...]:
    """The first of what a unit needs, the dearest first."""
    return line.states[line.units[place].state][:number]
