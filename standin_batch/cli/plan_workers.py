"""What is shown of a plan with several workers: how long they take, and what each of them has of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from standin_batch.cli.console import count, duration
from standin_batch.cli.plan_tables import UNKNOWN, table_of

if TYPE_CHECKING:
    from rich.table import Table

    from standin_batch.plan.makespan import Makespan

SHOWN_SHARDS = 8
"""Shards that the table shows one by one; `--json` shows all."""


def workers_told(makespan: Makespan) -> str:
    """What so many workers take, in a sentence."""
    idle = makespan.workers - len(makespan.shards)
    spare = f"; {idle:,} of them would not make it faster" if idle else ""
    told = count(makespan.workers, "worker")
    if makespan.seconds is None or makespan.speed_up is None or makespan.efficiency is None:
        return f"{told}: time unknown{spare}"
    faster = f"{makespan.speed_up:.3g} times as fast as one, an efficiency of {makespan.efficiency:.2f}"
    return f"{told}: about {duration(makespan.seconds)}, {faster}{spare}"


def shards_drawn(makespan: Makespan) -> Table:
    """The shards, one a row."""
    table = table_of("shard", "loads", "jobs", "time", right=("jobs", "time"))
    for number, shard in enumerate(makespan.shards[:SHOWN_SHARDS], 1):
        time = UNKNOWN if shard.seconds is None else duration(shard.seconds)
        table.add_row(str(number), ", ".join(shard.models), f"{shard.jobs:,}", time)
    if (more := len(makespan.shards) - SHOWN_SHARDS) > 0:
        table.add_row(f"… and {more:,} more", "", "", "", style="dim")
    return table
