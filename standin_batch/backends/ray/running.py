"""A run on Ray: the plan is dealt out to actors by a foreman."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from standin_batch.backends.crew.depot import Depot
from standin_batch.backends.crew.driver import drive, orders_of
from standin_batch.backends.crew.foreman import Foreman
from standin_batch.backends.crew.left_over import left_over
from standin_batch.backends.device import device_of_workers
from standin_batch.backends.local import Machine
from standin_batch.backends.ray.cluster import Cluster, put
from standin_batch.backends.ray.crew import RayCrew
from standin_batch.backends.start import Manner, Start
from standin_batch.machine import RayOptions
from standin_batch.plan.deck import Deck
from standin_batch.plan.plan import Plan
from standin_batch.plan.shards import shards
from standin_batch.run.conduct import Desk
from standin_batch.run.events import Listener, RunFinished
from standin_batch.run.plan_manifest import PlannedManifest
from standin_batch.run.preparing import preparing
from standin_batch.run.stopping import Stop

PATIENCE = 30.0
"""Seconds in which the workers of a driver that was killed end: Ray kills them when it misses that."""


def run_ray(
    planned: PlannedManifest,
    machine: Machine,
    options: RayOptions,
    stage_to: Path | None,
    checkpoints: Path | None,
    emit: Listener,
    stop: Stop,
) -> RunFinished:
    """Run what is planned on a Ray cluster; the arguments not named are those of `drive`.

    Args:
        planned: what to run, and where its results go.
        machine: what of each machine is used, and how.
        options: of the machine file.
        stage_to: the folder of each node's own disk that weights are copied to; None to read them where they are.
        checkpoints: the folder in place of each model's own.
        emit: is told what happens.
        stop: is looked at between steps.

    Raises:
        StandinError: if the plan cannot be started.
        Stopped: if it is stopped before its first job.
    """

    device, gpus = device_of_workers(machine.device, options.gpus_per_worker)
    machine, options = replace(machine, device=device), replace(options, gpus_per_worker=gpus)

    def hire(start: Start, desk: Desk) -> Foreman:
        cluster = Cluster(options)
        with preparing(desk.emit, "starting Ray" if cluster.is_ours else "connecting to Ray"):
            cluster.connect()
        workers = cluster.workers()
        pieces = [shard.plan for shard in shards(start.left, workers, planned.costs)]
        shared = options.shared
        orders = orders_of(planned, start, machine, checkpoints, stage_to, stop, pieces, shared=shared)
        return Foreman(
            start.left,
            lambda plan: Deck(plan, planned.costs, workers),
            RayCrew(orders, options, cluster, None if shared else Depot(planned.store.layout, put)),
            desk,
            machine.max_failures or planned.manifest.run.max_failures,
            again=lambda: _again(planned, start, desk),
        )

    manner = Manner(wait=machine.wait, patience=PATIENCE, has_weights=options.shared)
    return drive(planned, machine, checkpoints, emit, stop, hire, options.workers, manner)


def _again(planned: PlannedManifest, start: Start, desk: Desk) -> Plan | None:
    """What is left when all that was known has ended; planning takes seconds, so only where something may be."""
    if not desk.tally.remaining and not planned.asks:
        return None
    return left_over(start.left, planned.whole()[0], desk)
