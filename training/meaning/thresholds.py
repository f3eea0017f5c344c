"""What the numbers have to be. What has no bar is measured to be read beside what has one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Bar:
    """Bounds of a number.

    Attributes:
        least: that it has to reach; None without one.
        most: that it may not pass; None without one.
    """

    least: float | None = None
    most: float | None = None

    def met(self, value: float | None) -> bool:
        """Whether a value keeps to it; nothing measured does not."""
        if value is None:
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        bounds = ((">=", self.least), ("<=", self.most))
        return " ".join(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)


THRESHOLDS: Mapping[str, Bar] = MappingProxyType(
    {
        "identity: top-1": Bar(least=0.9),
        "adapter off: top-1": Bar(most=0.1),
    }
)
"""By the measure's name, for all that is asked in full."""

FEW: Mapping[str, Bar] = MappingProxyType(
    {
        "identity: top-1": Bar(least=5 / 6),
        "adapter off: top-1": Bar(most=1 / 6),
    }
)
"""For what is asked in short, where one clip of six may be wrong."""


def missed(values: Mapping[str, float | None], bars: Mapping[str, Bar] = THRESHOLDS) -> tuple[str, ...]:
    """The measures that miss their bars, also those that were not taken."""
    return tuple(name for name, bar in bars.items() if not bar.met(values.get(name)))
