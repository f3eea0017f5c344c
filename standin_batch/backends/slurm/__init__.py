"""The Slurm backend: an array of workers through submitit, each with a shard of the plan.

Slurm owns the machines, submitit talks to it, and the workers write into the output folder, which all nodes see.
"""

from __future__ import annotations

from standin_batch.backends.slurm.running import run_slurm

__all__ = ["run_slurm"]
