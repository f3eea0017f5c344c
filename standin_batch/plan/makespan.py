"""What a plan takes with several workers: from the driver's start until the last of them is done."""

from __future__ import annotations

from dataclasses import dataclass

from standin_batch.job import Job
from standin_batch.plan.cost import CostModel
from standin_batch.plan.kind import alike, besides
from standin_batch.plan.plan import Plan
from standin_batch.plan.shards import Shard, shards

LOOKED_AT = "faces"
"""What is looked at before anything is made, by the driver and for all."""


@dataclass(frozen=True)
class ShardEstimate:
    """What one worker takes.

    Attributes:
        jobs: videos that it makes.
        models: rows of the registry that it loads, in order; again where it comes back to one.
        seconds: from its start to its end; None where any of its jobs was not measured.
    """

    jobs: int
    models: tuple[str, ...]
    seconds: float | None


@dataclass(frozen=True)
class Makespan:
    """What several workers take.

    Attributes:
        workers: that there are; those without a shard have nothing to do.
        shards: what each of the others takes.
        preparing_seconds: of the driver before they begin: photographs and videos are looked at once, for all.
        alone_seconds: that one worker takes for the same; None where any job was not measured.
    """

    workers: int
    shards: tuple[ShardEstimate, ...]
    preparing_seconds: float
    alone_seconds: float | None

    @property
    def seconds(self) -> float | None:
        """From the start to the end of the last worker; None where any job was not measured."""
        known = [shard.seconds for shard in self.shards if shard.seconds is not None]
        if len(known) < len(self.shards):
            return None
        return self.preparing_seconds + max(known) if known else 0.0

    @property
    def speed_up(self) -> float | None:
        """How many times sooner than with one worker."""
        return self.alone_seconds / self.seconds if self.alone_seconds and self.seconds else None

    @property
    def efficiency(self) -> float | None:
        """The speed-up for each worker: 1 where none ever loads for another or waits."""
        return None if self.speed_up is None else self.speed_up / self.workers


def makespan(plan: Plan, costs: CostModel, workers: int, scored: bool = False) -> Makespan:
    """Estimate what `workers` take for a plan, in fixed shards. With one it is what `estimate` says.

    Each pays its own start, and loads for itself; prompts are counted for each that needs them.

    Args:
        plan: what would run.
        costs: as measured on the device of each worker, under the memory profile that it runs under.
        workers: how many.
        scored: whether all clips are looked at.

    Raises:
        ValueError: if `workers` is less than 1.
    """
    cut = shards(plan, workers, costs)
    jobs = [item.job for item in plan.to_run]
    looking = sum(costs.learnt.counted_seconds({LOOKED_AT: besides(jobs)[LOOKED_AT]}).values())
    alone = _sum(looking if jobs else 0.0, _seconds(plan, costs, scored))
    return Makespan(workers, tuple(_estimate(shard, costs, scored) for shard in cut), looking, alone)


def _estimate(shard: Shard, costs: CostModel, scored: bool) -> ShardEstimate:
    models = tuple(group.model for group in shard.plan.groups)
    return ShardEstimate(shard.jobs, models, _seconds(shard.plan, costs, scored))


def _seconds(plan: Plan, costs: CostModel, scored: bool) -> float | None:
    """Of a worker's whole process: jobs less what is saved of them, switches, what is paid once, and waiting."""
    jobs = [item.job for item in plan.to_run]
    making = _making(plan, costs)
    if making is None:
        return None
    together = alike(jobs)
    once = costs.once_seconds(together, {"clips": len(jobs)})
    return making + costs.order_seconds(jobs) + once + costs.waiting_seconds(together, scored)


def _making(plan: Plan, costs: CostModel) -> float | None:
    whole = [_times(costs, one.job, one.number) for one in alike(item.job for item in plan.to_run)]
    saved = [_times(costs, item.job, -item.reason.saved) for item in plan.to_run if item.reason.saved]
    return _sum(*whole, *saved)


def _times(costs: CostModel, job: Job, factor: float) -> float | None:
    seconds = costs.job_seconds(job)
    return None if seconds is None else seconds * factor


def _sum(*seconds: float | None) -> float | None:
    """None where one of them is unknown."""
    known = [each for each in seconds if each is not None]
    return sum(known) if len(known) == len(seconds) else None
