"""A plan in shards: what each of several workers runs, where that is fixed before they begin.

Pure: no scheduler, no clock. A shard is a plan, so it travels as plans do. Where work is handed out while it is done,
`deck` cuts it the same way at first.
"""

from __future__ import annotations

from dataclasses import dataclass

from standin_batch.plan.cost import CostModel
from standin_batch.plan.line import Line
from standin_batch.plan.order import NANO
from standin_batch.plan.partition import Station
from standin_batch.plan.plan import Plan
from standin_batch.plan.planner import grouped
from standin_batch.plan.sharing import as_planned, shared_out


@dataclass(frozen=True)
class Shard:
    """What one worker runs.

    Attributes:
        plan: its jobs, in order, in groups as far as they are in it; all else of it is empty.
        seconds: of its jobs and of what changes hands, from a worker that has nothing in place; None where any of its
            jobs was not measured.
    """

    plan: Plan
    seconds: float | None

    @property
    def jobs(self) -> int:
        """How many it has."""
        return len(self.plan.to_run)


def shards(plan: Plan, workers: int, costs: CostModel) -> tuple[Shard, ...]:
    """Cut a plan for `workers`, so that the last is done as early as can be.

    A shard is a piece of the plan's order, one of each priority; or of that order mixed, so that shards have something
    of each size on the same weights, where hardly anything is lost by it. Within a shard, the order is the plan's. A
    group is parted where the time that this saves is more than its weights take to load once more. All attempts of a
    job are in one shard.

    Args:
        plan: what is to run.
        workers: at most so many shards; fewer where more would not end earlier. None of them is empty.
        costs: of jobs and switches. Jobs that were not measured weigh what they compute, at the assumed rate.

    Raises:
        ValueError: if `workers` is less than 1.
    """
    if workers < 1:
        raise ValueError(f"{workers} workers cannot run anything")
    line, stations = shared_out(Line(plan, costs), workers, as_planned)
    return tuple(_shard(line, station) for station in stations if station.spans)


def _shard(line: Line, station: Station) -> Shard:
    items = [item for span in station.spans for item in line.items(span)]
    measured = all(unit.measured for span in station.spans for unit in line.units[slice(*span)])
    return Shard(Plan(groups=tuple(grouped(items)), done=()), station.ready / NANO if measured else None)
