"""The clock of a job: seconds by phase, and the highest GPU memory."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping

import torch

from standin_batch.stopwatch import part


class Clock:
    """Seconds by phase, and the highest GPU memory within its phases; between them, other jobs may be at work.

    Args:
        device: as torch names it.
        seconds: spent before, where a job is taken up again.
        peak: bytes at the highest before.
    """

    def __init__(self, device: str, seconds: Mapping[str, float] | None = None, peak: int | None = None) -> None:
        self.seconds: dict[str, float] = dict(seconds or {})
        self._gpu = torch.device(device) if device.startswith("cuda") else None
        self._peak = peak or 0
        self._open: tuple[str, float] | None = None

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time spent inside the block to the phase `name`, and to that part of the run's stopwatch."""
        if self._gpu is not None:
            torch.cuda.reset_peak_memory_stats(self._gpu)
        start = time.perf_counter()
        self._open = (name, start)
        try:
            with part(name):
                yield
                if self._gpu is not None:
                    torch.cuda.synchronize(self._gpu)
                    self._peak = max(self._peak, torch.cuda.max_memory_allocated(self._gpu))
        finally:
            self._open = None
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def spent(self) -> dict[str, float]:
        """Seconds by phase so far, those of the phase at work included."""
        if self._open is None:
            return dict(self.seconds)
        name, start = self._open
        return {**self.seconds, name: self.seconds.get(name, 0.0) + time.perf_counter() - start}

    def peak_memory(self) -> int | None:
        """Bytes, those of the phase at work included; None without a GPU."""
        if self._gpu is None:
            return None
        return self._peak if self._open is None else max(self._peak, torch.cuda.max_memory_allocated(self._gpu))
