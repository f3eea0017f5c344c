"""Seconds of pieces of work on a device, and how fast it multiplies matrices: the floor of all figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

WARM_UP = 3
REPEATS = 10
UNAVAILABLE = (ImportError, AttributeError, RuntimeError, TypeError, ValueError)
"""What a kernel raises that is not there, or not for this device, dtype or size."""

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


def interleaved(
    dos: Mapping[str, Callable[[], object]], device: str, repeats: int = REPEATS, warm_up: int = WARM_UP
) -> tuple[dict[str, float], dict[str, str]]:
    """The same of several pieces of work, in turns: what slows the machine for a while slows all of them alike.

    Returns:
        Seconds by name, and why not for what did not run: a kernel that is missing, or not for these inputs, or for
        which the memory is too small.
    """
    found: dict[str, list[float]] = {name: [] for name in dos}
    failed: dict[str, str] = {}
    for turn in range(repeats + 1):
        for name, do in dos.items():
            taken = failed.get(name) or _attempt(do, device, 0 if turn else warm_up)
            if isinstance(taken, str):
                failed[name] = taken
            elif turn:
                found[name].append(taken)
    return {name: median(taken) for name, taken in found.items() if name not in failed}, failed


def _attempt(do: Callable[[], object], device: str, warm_up: int) -> float | str:
    """Its seconds, or why there are none."""
    import torch

    try:
        return seconds(do, device, 1, warm_up)
    except torch.OutOfMemoryError:
        return "out of memory"
    except UNAVAILABLE as error:
        return f"not here: {str(error).partition('. ')[0] or type(error).__name__}"


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


def usual_model(device: str) -> str:
    """The row of the table of models that is timed on a device unless another is named."""
    return "wan2.1-t2v-14b" if device.startswith("cuda") else "tiny"


def _on_gpu(do: Callable[[], object]) -> float:
    import torch

    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
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
