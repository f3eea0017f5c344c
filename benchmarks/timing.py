"""Seconds of a piece of GPU or CPU work, and how fast this device multiplies matrices: the floor of all other figures."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

WARM_UP = 3
REPEATS = 10
GPU_SIDE, CPU_SIDE = 8192, 1024
"""Of the square matrices whose product counts."""


def seconds(do: Callable[[], object], device: str, repeats: int = REPEATS, warm_up: int = WARM_UP) -> float:
    """The median time of `do`; on a GPU by its own clock, without the host's.

    Args:
        do: the work.
        device: that it is done on, as torch names it.
        repeats: that count.
        warm_up: that do not.
    """
    for _ in range(warm_up):
        do()
    return median(_on_gpu(do) if device.startswith("cuda") else _on_cpu(do) for _ in range(repeats))


def matmul_rate(device: str, dtype: torch.dtype, repeats: int = REPEATS) -> float:
    """FLOP a second of a product of random square matrices."""
    import torch

    side = GPU_SIDE if device.startswith("cuda") else CPU_SIDE
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    out = torch.empty_like(left)
    return float(2 * side**3 / seconds(lambda: torch.mm(left, right, out=out), device, repeats))


def default_device() -> str:
    """`cuda` where there is one, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _on_gpu(do: Callable[[], object]) -> float:
    import torch

    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    start.record()
    do()
    end.record()
    torch.cuda.synchronize()
    return float(start.elapsed_time(end)) / 1000


def _on_cpu(do: Callable[[], object]) -> float:
    start = time.perf_counter()
    do()
    return time.perf_counter() - start
