"""Steps that take longer than Slurm's warning leaves: their tasks would be ended in them, and not requeued."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from standin_batch.job import Job
from standin_batch.plan.cost import CostModel
from standin_batch.plan.kind import work_kind
from standin_batch.plan.work import job_flop
from standin_batch.run.events import Warned


def long_step(jobs: Iterable[Job], costs: CostModel, signal_before: int) -> Warned | None:
    """A warning where a step takes longer than the time between Slurm's warning and the limit.

    Args:
        jobs: that are to be made.
        costs: as they were measured; of what was not measured nothing is said.
        signal_before: seconds between the two.
    """
    alike = {(work_kind(job, costs.memory.value), job.cfg_scale): job for job in jobs}
    longest = max((_step_seconds(job, costs) for job in alike.values()), default=0.0)
    if longest <= signal_before:
        return None
    told = f"a step takes up to {longest:.0f} s, and Slurm warns {signal_before} s before the limit"
    return Warned(told, f"set signal_before in the machine file to {2 * round(longest)} or more")


def _step_seconds(job: Job, costs: CostModel) -> float:
    """Seconds of a step: of what the clip takes, a step's share of its work; 0 where nothing was measured."""
    steps, whole = job.num_inference_steps, job_flop(job)
    of_steps = job_flop(replace(job, num_inference_steps=2 * steps)) - whole
    return (costs.job_seconds(job) or 0.0) * of_steps / whole / steps
