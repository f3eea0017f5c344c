"""When the gallery of a run at work is to be written again: often enough to be watched, too seldom to be felt."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_PAUSE = 10.0
"""Seconds between two writes."""

MAX_SHARE = 0.05
"""Of the time that may go into writing: a folder of 100,000 records takes seconds to read."""


@dataclass
class Throttle:
    """Says when to write, by how long the last write took. Of clocks it knows what it is told, in seconds.

    Attributes:
        least_pause: between the end of a write and the next.
        max_share: of the time that may be spent on writing.
    """

    least_pause: float = LEAST_PAUSE
    max_share: float = MAX_SHARE
    _due: float | None = None

    def is_due(self, now: float) -> bool:
        """Whether it is time to write; so it is before the first."""
        return self._due is None or now >= self._due

    def wrote(self, began: float, ended: float) -> None:
        """Take down a write, also one that failed."""
        took = max(0.0, ended - began)
        self._due = ended + max(self.least_pause, took / self.max_share - took)
