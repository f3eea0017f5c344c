"""TeaCache (arXiv 2411.19108): steps that would hardly change what the blocks add take what they added before.

How much a step changes is told from the embeddings of the timesteps alone, so which steps are computed is known before
an expert's first one. It is a matter of timesteps, weights and threshold, not of what else ran or where it was stopped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch
from diffsynth.models.wan_video_dit import sinusoidal_embedding_1d

FIT_BEGINS = 0.01
"""Relative change above which a polynomial that falls below zero is beyond what it was fitted to."""


SKIPPED = "skipped_steps"
"""What a clip's report calls the number of steps that were not computed; until it is done, that of each expert."""


def summed(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """The report of a clip that is done: with the skipped steps of all experts together, where it has them."""
    return {**report, SKIPPED: sum(report[SKIPPED].values())} if SKIPPED in report else report


@dataclass
class StepCache:
    """What the blocks of one expert added to their input, for each pass of a clip.

    Attributes:
        first: number of the expert's first step.
        computed: for each of its steps whether it is computed.
    """

    first: int
    computed: Sequence[bool]
    _added: dict[str, torch.Tensor] = field(default_factory=dict, repr=False)

    @property
    def skipped(self) -> int:
        """How many of its expert's steps are not computed."""
        return len(self.computed) - sum(self.computed)

    def skips(self, step: int) -> bool:
        """Whether a step takes what an earlier one added; not one that is no step of this expert."""
        place = step - self.first
        return 0 <= place < len(self.computed) and not self.computed[place]

    def store(self, which: str, before: torch.Tensor, after: torch.Tensor) -> None:
        """Keep what the blocks added in one pass: the difference of their output and their input, of any shape."""
        self._added[which] = after - before

    def apply(self, which: str, x: torch.Tensor) -> torch.Tensor:
        """Add to `x` what they added in that pass when it was computed last."""
        return x + self._added[which]

    def at(self, step: int, which: str) -> PassCache:
        """What a forward has to know of it."""
        return PassCache(self, which, self.skips(step))


@dataclass(frozen=True)
class PassCache:
    """One pass of one step.

    Attributes:
        skip: whether its blocks are left out: then `apply` stands for them, else `store` is told what they did.
    """

    _cache: StepCache
    _which: str
    skip: bool

    def store(self, before: torch.Tensor, after: torch.Tensor) -> None:
        """Keep what the blocks made of `before`."""
        self._cache.store(self._which, before, after)

    def apply(self, x: torch.Tensor) -> torch.Tensor:
        """What stands for the output of the blocks on `x`."""
        return self._cache.apply(self._which, x)


def computed_steps(changes: Sequence[float], coefficients: Sequence[float], threshold: float) -> tuple[bool, ...]:
    """Which steps of an expert are computed: the first, the last, and each that the changes since add up to.

    Args:
        changes: of the modulation from each step to the next, relative to it.
        coefficients: of the polynomial that tells the output's change from it, the highest power first.
        threshold: the sum from which a step is computed.

    Returns:
        For each step, one more than there are changes.
    """
    computed, total = [True], 0.0
    for change in changes[:-1]:
        total += _growth(change, coefficients)
        computed.append(total >= threshold)
        total = 0.0 if computed[-1] else total
    return (*computed, *((True,) if changes else ()))


def _growth(change: float, coefficients: Sequence[float]) -> float:
    """The polynomial, and for a change beyond its fit, where it falls below zero, more than any threshold."""
    value = 0.0
    for coefficient in coefficients:
        value = value * change + coefficient
    return math.inf if value < 0 and change > FIT_BEGINS else value


@torch.no_grad()
def modulation_changes(dit: Any, timesteps: Sequence[torch.Tensor]) -> list[float]:  # noqa: ANN401
    """How much the modulation of the blocks changes from each timestep to the next: mean |b - a| / mean |a|.

    Args:
        dit: a transformer with Wan's names.
        timesteps: 1000 .. 0, each [1], in the dtype and on the device of the computation.
    """
    found = [dit.time_projection(dit.time_embedding(sinusoidal_embedding_1d(dit.freq_dim, at))) for at in timesteps]
    changes = [(after - before).abs().mean() / before.abs().mean() for before, after in pairwise(found)]
    return [float(change) for change in torch.stack(changes).tolist()] if changes else []
