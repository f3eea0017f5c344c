"""A run on Slurm: the plan is cut into shards, and an array makes them; one that is at work already is listened to."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from standin_batch.attempts import attempt
from standin_batch.backends.crew.driver import drive, orders_of
from standin_batch.backends.crew.left_over import left_over
from standin_batch.backends.device import device_of_workers
from standin_batch.backends.local import Machine
from standin_batch.backends.slurm.array import Array, folder_of, jobs_of, write, written
from standin_batch.backends.slurm.crew import ArrayCrew
from standin_batch.backends.slurm.long_steps import long_step
from standin_batch.backends.slurm.queue import end_waiting, tasks_named
from standin_batch.backends.slurm.submission import clear, new_name, submit
from standin_batch.backends.slurm.watched import ASKS
from standin_batch.backends.start import Manner, Start, put_in_order
from standin_batch.locks.heartbeat import HEARTBEAT, PERIODS
from standin_batch.locks.lock import holder
from standin_batch.machine import SlurmOptions
from standin_batch.output.layout import OutputLayout
from standin_batch.plan.shards import shards
from standin_batch.run.conduct import Desk
from standin_batch.run.events import Listener, Prepared, Preparing, RunFinished
from standin_batch.run.lock import LockedError
from standin_batch.run.plan_manifest import PlannedManifest
from standin_batch.run.preparing import preparing
from standin_batch.run.stopping import Stop

SILENCE = (PERIODS + 1) * HEARTBEAT
"""Seconds after which a worker that was killed on another machine is not taken for one at work any more."""


def run_slurm(
    planned: PlannedManifest,
    machine: Machine,
    options: SlurmOptions,
    stage_to: Path | None,
    checkpoints: Path | None,
    emit: Listener,
    stop: Stop,
    config: Path | None = None,
) -> RunFinished:
    """Run what is planned on a Slurm cluster; the arguments not named are those of `drive`.

    Args:
        planned: what to run, and where its results go: a folder that all nodes see.
        machine: what of each node is used, and how.
        options: of the machine file.
        stage_to: the folder of each node's own disk that weights are copied to; None to read them where they are.
        checkpoints: the folder in place of each model's own.
        emit: is told what happens.
        stop: is looked at between steps.
        config: the machine file, for what is told; None where there is none.

    Raises:
        LockedError: if an array is at work there that makes something else.
        UsageError: if workers cannot have the device that is asked for.
        StandinError: if the plan cannot be started.
        Stopped: if it is stopped before its first job.
    """
    layout, failures = planned.store.layout, machine.max_failures or planned.manifest.run.max_failures
    device, gpus = device_of_workers(machine.device, options.gpus_per_worker)
    machine, options = replace(machine, device=device), replace(options, gpus_per_worker=gpus)
    _let_end(layout, emit, stop)
    workers, before = options.workers or 1, living(layout)
    if before is not None:
        check_same(before, planned)

    def hire(start: Start, desk: Desk) -> ArrayCrew:
        def finish() -> None:
            put_in_order(planned, checkpoints, desk.emit)
            left_over(start.left, planned.whole()[0], desk)

        if before is not None and (now := written(layout)) is not None and now.name == before.name:
            return ArrayCrew(before, desk, failures, found=True, put_in_order=finish)
        if (other := living(layout)) is not None:
            raise LockedError(f"the array {other.id} was submitted in {layout.folder} meanwhile", "the same again")
        if (
            warning := long_step((item.job for item in start.left.to_run), planned.costs, options.signal_before)
        ) is not None:
            desk.emit(warning)
        pieces = [shard.plan for shard in shards(start.left, workers, planned.costs)]
        orders = orders_of(planned, start, machine, checkpoints, stage_to, stop, pieces)
        name, forced = new_name(planned.manifest.name), planned.selection.force
        array = Array(name, "", tuple(map(jobs_of, pieces)), forced)
        clear(layout.array)
        write(layout, array)  # before Slurm has it: a driver that is killed in between finds it by its name
        workers_told, begun = "1 worker" if len(pieces) == 1 else f"{len(pieces)} workers", time.monotonic()
        desk.emit(Preparing(f"submitting an array of {workers_told} to Slurm"))
        place = folder_of(layout).absolute()
        array = replace(array, id=submit(array.name, pieces, orders, options, place, config))
        write(layout, array)
        told = f"submitted the array {array.id} ({array.name}) of {workers_told}"
        desk.emit(Prepared(told, time.monotonic() - begun))
        return ArrayCrew(array, desk, failures, found=False, put_in_order=finish)

    joins = None if before is None else before.jobs
    manner = Manner(wait=machine.wait, joins=joins, patience=SILENCE, no_array=True)
    return drive(planned, machine, checkpoints, emit, stop, hire, workers, manner)


def living(layout: OutputLayout) -> Array | None:
    """The array that works in an output folder, or waits to; None where there is none.

    Raises:
        SlurmError: if there was one, and Slurm does not say what became of it.
    """
    array = written(layout)
    if array is None:
        return None
    alive = [task for task in tasks_named(array.name).values() if not task.is_over]
    if not alive:
        return None
    return array if array.id else replace(array, id=alive[0].array)


def _let_end(layout: OutputLayout, emit: Listener, stop: Stop) -> None:
    """Wait for an array that was asked to stop, where nobody leads it: what it still makes is to be known first."""
    if layout.array.stop.exists() and holder(layout.lock) is None and (array := living(layout)) is not None:
        with preparing(emit, f"waiting for the array {array.id}, which was asked to stop"):
            end_waiting(array.id)
            while living(layout) is not None:
                stop.wait(ASKS)


def check_same(array: Array, planned: PlannedManifest) -> None:
    """Whether an array makes what is wanted: all of it, and nothing else. Some of it may be made by now.

    Raises:
        LockedError: if it does not.
    """
    selection = planned.selection
    nothing_else = array.jobs <= {attempt(job, 0).job_id for job in planned.jobs}
    limit = selection.limit
    all_of_it = set(jobs_of(planned.plan)) <= array.jobs if limit is None else len(array.jobs) <= limit
    if not (nothing_else and all_of_it and array.forced == selection.force):
        layout = planned.store.layout
        told = f"the array {array.id} ({array.name}) is at work in {layout.folder}, and makes another plan"
        raise LockedError(told, f"wait for it, or end it: scancel {array.id}")
