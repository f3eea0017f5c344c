"""What one worker of a deck holds: the pieces of the line that are its own, and what it is at work on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from standin_batch.plan.line import Line, Span, Spot


class Hand:
    """A worker as the deck knows it.

    Args:
        line: of which it has pieces.

    Attributes:
        spans: that it has still to begin, in order.
        spot: what it has in place when all that it took is done.
        busy: units that it has taken and not ended, in order.
    """

    def __init__(self, line: Line) -> None:
        self.spans: Sequence[Span] = ()
        self.spot: Spot = None
        self.busy: dict[int, None] = {}
        self._line = line
        self._begins = 0
        self._left: dict[int, int] = {}

    def of(self, level: int) -> list[Span]:
        """Its pieces of a level."""
        return [span for span in self.spans if self._line.level_of[span[0]] == level]

    def left(self, level: int) -> int:
        """Nanoseconds until it is through with a level; 0 where it has nothing of it to begin."""
        if level not in self._left:
            spans = self.of(level)
            self._left[level] = self.at_work() + self.takes(spans) if spans else 0
        return self._left[level]

    def at_work(self) -> int:
        """Nanoseconds until what it has taken is done: how far it is with the first nobody tells, so half of that."""
        taken = [self._line.units[place].nanos for place in self.busy]
        return sum(taken) + (self._begins - taken[0]) // 2 if taken else 0

    def takes(self, spans: Iterable[Span]) -> int:
        """Nanoseconds of pieces, one after the other, from where it will stand."""
        nanos, spot = 0, self.spot
        for span in spans:
            nanos += self._line.takes(spot, span)
            spot = self._line.spot(span[1])
        return nanos

    def begin(self, span: Span) -> None:
        """It is at work from now on with a piece that is its own."""
        if not self.busy:
            self._begins = self._line.start(self.spot, span[0])
        self.busy |= dict.fromkeys(range(*span))
        self.spot = self._line.spot(span[1])
        self.lose(span)

    def end(self, place: int, whole: bool = True) -> None:
        """A unit that it was at work on is done, or only part of it."""
        self._begins = 0
        if whole:
            del self.busy[place]
        self._left.clear()

    def get(self, spans: Iterable[Span]) -> None:
        """More pieces become its own, before those of their level that are."""
        self.spans = joined([*spans, *self.spans], self._line)
        self._left.clear()

    def lose(self, taken: Span) -> None:
        """A part of one of its pieces is not its own any more."""
        self.spans = [rest for span in self.spans for rest in _without(span, taken)]
        self._left.clear()

    def everything(self) -> list[Span]:
        """All that it has not ended, what it is at work on before the rest of its level."""
        return joined([*((place, place + 1) for place in self.busy), *self.spans], self._line)


def joined(spans: Iterable[Span], line: Line) -> list[Span]:
    """The same pieces by level, those that follow each other as one."""
    found: list[Span] = []
    for begin, end in sorted(spans, key=lambda span: line.level_of[span[0]]):
        if found and found[-1][1] == begin and line.level_of[found[-1][0]] == line.level_of[begin]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def _without(span: Span, taken: Span) -> list[Span]:
    """What is left of a piece when another is taken out of it."""
    if taken[1] <= span[0] or span[1] <= taken[0]:
        return [span]
    return [rest for rest in ((span[0], taken[0]), (taken[1], span[1])) if rest[0] < rest[1]]
