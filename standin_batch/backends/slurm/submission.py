"""Submitting an array through submitit: the machine file's words become sbatch's."""

from __future__ import annotations

import os
import pickle
import shlex
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from standin_batch.backends.crew.orders import Orders
from standin_batch.backends.slurm.client import SlurmError
from standin_batch.backends.slurm.refusals import cure_of
from standin_batch.backends.slurm.task import WARNING, ShardTask
from standin_batch.hushed import hushed
from standin_batch.machine import SlurmOptions
from standin_batch.output.layout import ArrayLayout, safe_name
from standin_batch.plan.plan import Plan

ORDERS = "orders.pkl"

ALL_AT_ONCE = 10_000
"""Tasks of an array that may be at work together: as many as Slurm gives room."""


def new_name(manifest: str) -> str:
    """What an array of a manifest is called in Slurm; no two have one name. `squeue` shows eight characters of it."""
    return f"{safe_name(manifest)[:40]}-standin-{uuid.uuid4().hex[:8]}"


def submit(
    name: str, shards: Sequence[Plan], orders: Orders, options: SlurmOptions, folder: Path, config: Path | None
) -> str:
    """Submit an array with a task for each shard.

    Args:
        name: of the array.
        shards: in the order of ranks.
        orders: what all workers are told.
        options: of the machine file.
        folder: that all nodes see, for what tasks are started with, as `clear` makes it.
        config: the machine file; None where there is none.

    Returns:
        The array's id.

    Raises:
        SlurmError: if Slurm does not take it.
    """
    told = folder / ORDERS
    told.write_bytes(pickle.dumps(orders))
    tasks = [ShardTask(rank, shard, told, options.max_requeues) for rank, shard in enumerate(shards)]
    from submitit import SlurmExecutor
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    executor = SlurmExecutor(folder)
    executor.update_parameters(**parameters(name, options, guard(folder)))
    try:
        with hushed(), executor.batch():  # submitit prints what it raises, too
            jobs = [executor.submit(task) for task in tasks]
    except (FailedJobError, FailedSubmissionError) as error:
        said = str(error).strip()
        last = said.splitlines()[-1] if said else "sbatch does not say why"
        raise SlurmError(f"Slurm does not take the array: {last}", cure_of(said, config)) from error
    return str(jobs[0].job_id).split("_")[0]


def clear(place: ArrayLayout) -> None:
    """Remove what an earlier array left, and make the folder of what tasks are started with: for this user alone.

    Whoever could write there could have nodes run anything as this user: a pickle is a program.

    Raises:
        SlurmError: if what is there is another user's, or is no folder.
    """
    cure = "remove it, or choose another output.folder"
    if place.folder.is_symlink():
        raise SlurmError(f"{place.folder} is a link, and tasks are not started with what lies elsewhere", cure)
    if place.tasks.exists() and place.tasks.stat().st_uid != os.geteuid():
        raise SlurmError(f"{place.tasks} is another user's, whose array may be at work", cure)
    shutil.rmtree(place.folder, ignore_errors=True)
    place.folder.mkdir(parents=True, exist_ok=True)
    try:
        place.tasks.mkdir(mode=0o700)
    except FileExistsError as error:
        raise SlurmError(f"{place.tasks} cannot be removed", cure) from error
    place.tasks.chmod(0o700)  # without the group of a folder that hands it on


def guard(folder: Path) -> str:
    """A line of shell: the task ends where its folder was put in the place of the one that this user made."""
    name = shlex.quote(str(folder))
    is_mine = f'[ ! -L {name} ] && [ -O {name} ] && [ "$(stat -c %A {name} | cut -c 5-10)" = "------" ]'
    return f"{is_mine} || {{ echo {name} is not as it was made >&2; exit 1; }}"


def parameters(name: str, options: SlurmOptions, first: str = ":") -> dict[str, Any]:
    """What submitit is told of an array of workers, one task of one node each.

    Args:
        name: of the array.
        options: of the machine file.
        first: a line of shell before all others.
    """
    cpus = options.cpus_per_worker
    wanted = {
        "partition": options.partition,
        "account": options.account,
        "qos": options.qos,
        "constraint": options.constraint,
        "gpus_per_node": options.gpus_per_worker or None,
        "mem": options.mem,
    }
    return {
        "job_name": name,
        "time": options.time,  # None for the partition's own, instead of submitit's five minutes
        "nodes": 1,
        "ntasks_per_node": 1,
        "cpus_per_task": cpus,
        # Since 22.05 srun does not take over what sbatch was given.
        "srun_args": [f"--cpus-per-task={cpus}"],
        "setup": [first, *options.setup, f"export OMP_NUM_THREADS={options.omp_threads}"],
        "array_parallelism": ALL_AT_ONCE,
        "additional_parameters": _additional(options),
        **{key: value for key, value in wanted.items() if value is not None},
    }


def _additional(options: SlurmOptions) -> dict[str, Any]:
    """Options of sbatch that submitit has no name for, or another default."""
    given = {"reservation": options.reservation} if options.reservation is not None else {}
    own = {"requeue": True, "signal": f"{WARNING}@{options.signal_before}"}
    return {**given, **{name.lstrip("-"): value for name, value in options.extra.items()}, **own}
