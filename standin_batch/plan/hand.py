"""What one worker of a deck holds: the pieces of the line that are its own, and what it is at work on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from standin_batch.plan.line import Line, Span, Spot


@dataclass
class Hand:
    """A worker as the deck knows it.

    Attributes:
        spans: that it has still to begin, in order.
        spot: what it has in place when all that it took is done.
        busy: units that it has taken and not ended, in order.
        begins: nanoseconds until the first of them could begin, as long as none has ended.
    """

    spans: list[Span] = field(default_factory=list)
    spot: Spot = None
    busy: dict[int, None] = field(default_factory=dict)
    begins: int = 0

    def of(self, line: Line, level: int) -> list[Span]:
        """Its pieces of a level."""
        return [span for span in self.spans if line.level_of[span[0]] == level]

    def at_work(self, line: Line) -> int:
        """Nanoseconds until what it has taken is done: how far it is with the first nobody tells, so half of that."""
        taken = [line.units[place].nanos for place in self.busy]
        return sum(taken) + (self.begins - taken[0]) // 2 if taken else 0

    def left(self, line: Line, spans: Sequence[Span]) -> int:
        """Nanoseconds of pieces, one after the other, from where it will stand."""
        nanos, spot = 0, self.spot
        for span in spans:
            nanos += line.takes(spot, span)
            spot = line.spot(span[1])
        return nanos

    def takes(self, line: Line, span: Span) -> None:
        """Its first piece begins with `span`, which it is at work on from now on."""
        if not self.busy:
            self.begins = line.start(self.spot, span[0])
        self.busy |= dict.fromkeys(range(*span))
        self.spot = line.spot(span[1])
        self.spans = [(span[1], self.spans[0][1]), *self.spans[1:]] if span != self.spans[0] else self.spans[1:]

    def everything(self, line: Line) -> list[Span]:
        """All that it has not ended, what it is at work on before the rest of its level."""
        return joined([*((place, place + 1) for place in self.busy), *self.spans], line)


def joined(spans: Iterable[Span], line: Line) -> list[Span]:
    """The same pieces by level, those that follow each other as one."""
    found: list[Span] = []
    for begin, end in sorted(spans, key=lambda span: line.level_of[span[0]]):
        if found and found[-1][1] == begin and line.level_of[found[-1][0]] == line.level_of[begin]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def without(span: Span, taken: Span) -> list[Span]:
    """What is left of a piece when another is taken out of it."""
    if taken[1] <= span[0] or span[1] <= taken[0]:
        return [span]
    return [rest for rest in ((span[0], taken[0]), (taken[1], span[1])) if rest[0] < rest[1]]
