"""Weights as they were before LoRAs were added to them: copies on the CPU, which come back to the very bits.

They never change, so they are kept from one set of LoRAs to the next. Where a GPU computes they lie in pinned memory,
from which it can copy without the processor's help; how much that brings was not measured.
"""

from __future__ import annotations

from collections.abc import Collection

import torch

CHUNK = 1 << 30
"""Bytes of pinned memory that are asked for at once: torch rounds each request up to a power of two."""

ALIGNMENT = 256
"""Bytes between the beginnings of two copies in a chunk: any dtype may begin there."""


def is_pinned_worth(device: str, needed: int, available: int | None) -> bool:
    """Whether copies are pinned: only for a GPU, and where as much memory is left as they take.

    Args:
        device: that computes, as torch names it.
        needed: bytes of all copies.
        available: bytes that this machine has to spare; None where nobody says.
    """
    return device.startswith("cuda") and available is not None and 2 * needed <= available


class Pristine:
    """Copies of weights by their names.

    Args:
        pinned: whether they lie in pinned memory.
    """

    def __init__(self, *, pinned: bool) -> None:
        self._pinned = pinned
        self._copies: dict[str, torch.Tensor] = {}
        self._chunk, self._used = torch.empty(0, dtype=torch.uint8), 0

    def __len__(self) -> int:
        return len(self._copies)

    def __getitem__(self, name: str) -> torch.Tensor:
        return self._copies[name]

    def keep(self, name: str, weight: torch.Tensor) -> None:
        """Copy `weight`, which is pristine, unless there is a copy."""
        if name not in self._copies:
            self._copies[name] = self._place(weight).copy_(weight)

    def drop(self, but: Collection[str]) -> None:
        """Give up all copies but these; of pinned memory, whole chunks."""
        self._copies = {name: copy for name, copy in self._copies.items() if name in but}
        self._chunk, self._used = torch.empty(0, dtype=torch.uint8), 0

    def _place(self, weight: torch.Tensor) -> torch.Tensor:
        if not self._pinned:
            return torch.empty(weight.shape, dtype=weight.dtype, device="cpu")
        size = weight.numel() * weight.element_size()
        if self._used + size > len(self._chunk):
            self._chunk, self._used = self._new_chunk(size), 0
        place = self._chunk[self._used : self._used + size]
        self._used += -(-size // ALIGNMENT) * ALIGNMENT
        return place.view(weight.dtype).view(weight.shape)

    def _new_chunk(self, size: int) -> torch.Tensor:
        try:
            return torch.empty(max(size, CHUNK), dtype=torch.uint8, pin_memory=self._pinned)
        except RuntimeError:  # more than the system lets a process pin: slower, not wrong
            self._pinned = False
            return torch.empty(size, dtype=torch.uint8)
