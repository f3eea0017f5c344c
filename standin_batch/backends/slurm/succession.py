"""One worker of a rank after the other: who is followed by another leaves, and who follows waits until that is so.

Slurm gives up a node that does not answer and starts its task elsewhere, while the process there may still be at work.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from standin_batch.backends.slurm.array import worker_name
from standin_batch.locks.lock import POLL, holder
from standin_batch.output.layout import OutputLayout

PATIENCE = 120.0
"""Seconds that a worker which is followed may take to its next step, where it gives signs of life: longer, and its clip
is made twice rather than the shard not at all. One that gives none is over after the ten seconds of `locks`."""

NEXT = 3
"""Workers after one that are looked for: the next may not have come to its post."""


def is_followed(layout: OutputLayout, array: str, rank: int, restarts: int) -> bool:
    """Whether a later worker of the same rank has come. It is asked for often: no folder is listed."""
    later = (worker_name(array, rank, restarts + number) for number in range(1, NEXT + 1))
    return any(layout.worker(name).folder.exists() for name in later)


def let_go(
    layout: OutputLayout,
    array: str,
    rank: int,
    restarts: int,
    rest: Callable[[float], object],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Wait until the workers before have left their posts, or give no sign of life.

    Args:
        layout: of the output folder.
        array: its id.
        rank: of the worker, which is at its own post.
        restarts: how often Slurm has started the task again.
        rest: waits for so many seconds between two looks.
        clock: in seconds.
    """
    before, until = [layout.worker(name) for name in _until(array, rank, restarts - 1)], clock() + PATIENCE
    while any(holder(post.lock) is not None for post in before) and clock() < until:
        rest(POLL)


def _until(array: str, rank: int, restarts: int) -> list[str]:
    return [worker_name(array, rank, number) for number in range(restarts + 1)]
