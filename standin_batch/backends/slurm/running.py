"""A run on Slurm: the plan is cut into shards, and an array makes them; one that is at work already is listened to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from standin_batch.attempts import attempt
from standin_batch.backends.crew.driver import drive, orders_of
from standin_batch.backends.local import Machine
from standin_batch.backends.slurm.array import Array, folder_of, jobs_of, write, written
from standin_batch.backends.slurm.crew import ArrayCrew
from standin_batch.backends.slurm.queue import end_waiting, tasks_named
from standin_batch.backends.slurm.submission import clear, new_name, submit
from standin_batch.backends.slurm.watched import ASKS
from standin_batch.backends.start import Start
from standin_batch.job import Job
from standin_batch.machine import SlurmOptions
from standin_batch.output.layout import OutputLayout
from standin_batch.plan.plan import Plan
from standin_batch.plan.shards import shards
from standin_batch.run.conduct import Desk
from standin_batch.run.events import Listener, RunFinished
from standin_batch.run.lock import LockedError
from standin_batch.run.plan_manifest import PlannedManifest
from standin_batch.run.preparing import preparing
from standin_batch.run.stopping import Stop


def run_slurm(
    planned: PlannedManifest,
    machine: Machine,
    options: SlurmOptions,
    stage_to: Path | None,
    checkpoints: Path | None,
    emit: Listener,
    stop: Stop,
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

    Raises:
        LockedError: if an array is at work there that makes something else.
        StandinError: if the plan cannot be started.
        Stopped: if it is stopped before its first job.
    """
    layout, failures = planned.store.layout, machine.max_failures or planned.manifest.run.max_failures
    workers, before = options.workers or 1, living(layout)
    if before is not None and not layout.array.stop.exists():
        _check_same(before, planned.plan, layout)

    def hire(start: Start, desk: Desk) -> ArrayCrew:
        _let_end(layout, desk)
        if (found := living(layout)) is not None:
            _check_same(found, start.left, layout)
            with preparing(desk.emit, f"listening to the array {found.id}, which is at work already"):
                return ArrayCrew(found, desk, failures, found=True)
        pieces = [shard.plan for shard in shards(start.left, workers, planned.costs)]
        orders = orders_of(planned, start, machine, checkpoints, stage_to, stop, pieces)
        array = Array(new_name(planned.manifest.name), "", tuple(map(jobs_of, pieces)))
        clear(folder_of(layout))
        write(layout, array)  # before Slurm has it: a driver that is killed in between finds it by its name
        with preparing(desk.emit, f"submitting an array of {len(pieces)} workers to Slurm"):
            array = replace(array, id=submit(array.name, pieces, orders, options, folder_of(layout).absolute()))
        write(layout, array)
        return ArrayCrew(array, desk, failures, found=False)

    return drive(
        planned,
        machine,
        checkpoints,
        emit,
        stop,
        hire,
        workers=workers,
        beside_workers=before is not None,
        no_array=True,
    )


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


def _let_end(layout: OutputLayout, desk: Desk) -> None:
    """Wait for an array that was asked to stop."""
    if layout.array.stop.exists() and (array := living(layout)) is not None:
        with preparing(desk.emit, f"waiting for the array {array.id}, which was asked to stop"):
            end_waiting(array.id)
            while living(layout) is not None:
                desk.stop.wait(ASKS)


def _check_same(array: Array, plan: Plan, layout: OutputLayout) -> None:
    """Whether an array makes what a plan wants: all of it, and nothing else.

    Raises:
        LockedError: if it does not.
    """
    wanted = frozenset(jobs_of(plan))
    known = wanted | frozenset(_firsts((*plan.done, *plan.failed_before, *plan.not_accepted)))
    if not wanted <= array.jobs or not array.jobs <= known:
        told = f"the array {array.id} ({array.name}) is at work in {layout.folder}, and makes another plan"
        raise LockedError(told, f"wait for it, or end it: scancel {array.id}")


def _firsts(jobs: Iterable[Job]) -> Iterator[str]:
    return (attempt(job, 0).job_id for job in jobs)
