"""The running mean of weights: less noisy than the last ones, and what is kept in the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch


class Averages:
    """The mean of tensors over about the last 1 / (1 - `decay`) steps.

    Args:
        tensors: by name: parameters, and buffers of floating point; looked at after each step.
        decay: what remains of the mean in one step, at most.
    """

    def __init__(self, tensors: Mapping[str, torch.Tensor], decay: float) -> None:
        self._tensors, self._decay = tensors, decay
        self.mean = {name: each.detach().clone() for name, each in tensors.items()}

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Take one more step in; the first ones count for little."""
        share = 1 - min(self._decay, (step + 1) / (step + 10))
        torch._foreach_lerp_(list(self.mean.values()), [each.detach() for each in self._tensors.values()], share)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The mean in place of the last tensors, to look at what it does."""
        learnt = {name: each.detach().clone() for name, each in self._tensors.items()}
        put(self.mean, self._tensors)
        yield
        put(learnt, self._tensors)

    def keep(self) -> None:
        """The mean for good."""
        put(self.mean, self._tensors)


@torch.no_grad()
def put(values: Mapping[str, torch.Tensor], into: Mapping[str, torch.Tensor]) -> None:
    """Copy values into the tensors of the same names."""
    for name, value in values.items():
        into[name].copy_(value)
