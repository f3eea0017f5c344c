"""Whose work a worker that is through takes over, and how much of it: where all of it is then done soonest."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nlargest

from standin_batch.plan.hand import Hand
from standin_batch.plan.line import Line, Span

NEARER, LOOKED_AT = 32, 8
"""Workers that are looked at, of those who have most left; and closely, of those by whom most is to be gained."""


@dataclass(frozen=True)
class Theft:
    """The end of a worker's last piece of a level, or its beginning, for another worker.

    Attributes:
        victim: who has it.
        span: what is taken of it.
        gain: nanoseconds that the victim's level is done sooner, by both.
        loading: nanoseconds until the thief can begin.
    """

    victim: Hand
    span: Span
    gain: int
    loading: int

    @property
    def pays(self) -> bool:
        """Whether it is worth more than what is loaded for it."""
        return self.gain >= self.loading


def best_theft(line: Line, level: int, thief: Hand, hands: Iterable[Hand]) -> Theft | None:
    """What gains most; None where nothing does.

    A worker that has nothing else to do gains whatever ends sooner; one that has work of lower priorities loads only
    for what saves at least as much time as loading takes.
    """
    rich = nlargest(NEARER, (hand for hand in hands if hand is not thief), key=lambda hand: hand.left(level))
    some = [hand for hand in rich if hand.left(level)]
    near = nlargest(LOOKED_AT, some, key=lambda hand: hand.left(level) - _loading(line, level, thief, hand))
    thefts = (_theft(line, level, thief, victim) for victim in near)
    found = [theft for theft in thefts if theft.gain > 0 and (theft.pays or not thief.spans)]
    return max(found, key=lambda theft: theft.gain, default=None)


def _loading(line: Line, level: int, thief: Hand, victim: Hand) -> int:
    """About: until the thief could begin with the last that the victim has."""
    return line.start(thief.spot, victim.of(level)[-1][1] - 1)


def _theft(line: Line, level: int, thief: Hand, victim: Hand) -> Theft:
    """What of the victim's last piece is taken, its end or its beginning, so that the later of both ends soonest.

    The more is taken, the sooner the victim ends and the later the thief: it is where they meet, or next to it. The
    beginning is better where it has the longest jobs, and short ones are left to the victim.
    """
    *before, (begin, end) = victim.of(level)
    spot = line.spot(before[-1][1]) if before else victim.spot
    left, busy = victim.left(level), thief.at_work()
    known = left - line.takes(spot, (begin, end))

    def ends(span: Span) -> tuple[int, int]:
        rest = (begin, span[0]) if span[1] == end else (span[1], end)
        return known + (line.takes(spot, rest) if rest[0] < rest[1] else 0), busy + line.takes(thief.spot, span)

    def few(span: Span) -> bool:
        return ends(span)[1] <= ends(span)[0]

    cut = begin + bisect_left(range(begin, end - 1), True, key=lambda place: few((place, end)))
    head = begin + bisect_left(range(begin + 1, end), True, key=lambda place: not few((begin, place)))
    late = [(place, end) for place in (cut, cut - 1) if place >= begin]
    early = [(begin, place) for place in (head, head + 1) if begin < place < end]
    span = min((*late, *early), key=lambda span: max(ends(span)))
    return Theft(victim, span, left - max(ends(span)), line.start(thief.spot, span[0]))
