"""Whose work a worker that is through takes over, and how much of it: where all of it is then done soonest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nlargest

from standin_batch.plan.hand import Hand
from standin_batch.plan.line import Line, Span

LOOKED_AT = 8
"""Workers that are looked at closely, of those by whom most is to be gained."""


@dataclass(frozen=True)
class Theft:
    """The end of a worker's last piece of a level, for another worker.

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
    rich = [(left, hand) for hand in hands if hand is not thief and (left := _left(line, level, hand))]
    near = nlargest(LOOKED_AT, rich, key=lambda one: one[0] - _loading(line, level, thief, one[1]))
    thefts = (_theft(line, level, thief, victim, left) for left, victim in near)
    found = [theft for theft in thefts if theft.gain > 0 and (theft.pays or not thief.spans)]
    return max(found, key=lambda theft: theft.gain, default=None)


def _left(line: Line, level: int, hand: Hand) -> int:
    """Nanoseconds until a worker is through with a level; 0 where nothing of it can be taken."""
    spans = hand.of(line, level)
    return hand.at_work(line) + hand.left(line, spans) if spans else 0


def _loading(line: Line, level: int, thief: Hand, victim: Hand) -> int:
    """About: until the thief could begin with the last that the victim has."""
    return line.start(thief.spot, victim.of(line, level)[-1][1] - 1)


def _theft(line: Line, level: int, thief: Hand, victim: Hand, left: int) -> Theft:
    """The cut of the victim's last piece at which the later of both ends soonest.

    The later the cut, the later the victim ends and the sooner the thief: it is where they meet, or next to it.
    """
    begin, end = victim.of(line, level)[-1]
    busy = thief.at_work(line)

    def ends(place: int) -> tuple[int, int]:
        more = line.start(line.spot(place), place) if place > begin else _before(line, level, victim)
        return left - more - line.within(place, end), busy + line.takes(thief.spot, (place, end))

    low, high = begin, end - 1
    while low < high:
        middle = (low + high) // 2
        if ends(middle)[0] >= ends(middle)[1]:
            high = middle
        else:
            low = middle + 1
    cut = min((place for place in (low - 1, low) if place >= begin), key=lambda place: (max(ends(place)), -place))
    return Theft(victim, (cut, end), left - max(ends(cut)), line.start(thief.spot, cut))


def _before(line: Line, level: int, victim: Hand) -> int:
    """Nanoseconds until the victim could begin its last piece of a level, when all before it is done."""
    spans = victim.of(line, level)
    spot = line.spot(spans[-2][1]) if len(spans) > 1 else victim.spot
    return line.start(spot, spans[-1][0])
