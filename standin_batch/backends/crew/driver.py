"""The driver: one process that plans, hands out, listens and leaves the folder in order; workers make the clips."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from standin_batch import __version__
from standin_batch.backends.crew.orders import Orders, samples_of
from standin_batch.backends.local import Machine
from standin_batch.backends.start import Manner, Start, frame_of, started
from standin_batch.plan.makespan import makespan
from standin_batch.plan.peak import Extent
from standin_batch.plan.plan import Plan
from standin_batch.run.common_texts import common_texts
from standin_batch.run.conduct import Desk, Labour, conduct
from standin_batch.run.events import Listener, RunFinished, Stopping
from standin_batch.run.plan_manifest import PlannedManifest
from standin_batch.run.stop_request import asked
from standin_batch.run.stopping import Stop
from standin_batch.run.watch import watching
from standin_batch.stopwatch import current

Hire: TypeAlias = "Callable[[Start, Desk], Labour]"
"""Gives those who make the jobs that are left."""


def drive(
    planned: PlannedManifest,
    machine: Machine,
    checkpoints: Path | None,
    emit: Listener,
    stop: Stop,
    hire: Hire,
    workers: int | None,
    manner: Manner,
) -> RunFinished:
    """Run what is planned with workers.

    Args:
        planned: what to run, and where its results go.
        machine: what of each machine is used, and how.
        checkpoints: the folder in place of each model's own.
        emit: is told what happens.
        stop: is looked at between steps; whoever made it also listens to signals.
        hire: gives the workers.
        workers: as many as are expected; None where that is not known yet.
        manner: in which the folder is taken.

    Raises:
        StandinError: if the plan cannot be started.
        Stopped: if it is stopped before its first job.
    """
    layout = planned.store.layout
    with (
        current().running(),
        watching(stop, lambda: asked(layout), lambda why: emit(Stopping(why))),
        started(planned, checkpoints, emit, stop, manner) as start,
    ):
        frame = replace(frame_of(planned, _seconds(planned, start, workers)), device=planned.device.name)
        return conduct(start.left, planned.store, frame, emit, stop, lambda desk: hire(start, desk))


def _seconds(planned: PlannedManifest, start: Start, workers: int | None) -> float | None:
    """What so many workers take for what is left."""
    if workers is None:
        return None
    return makespan(start.left, planned.costs, workers, planned.manifest.scores.enabled).seconds


def orders_of(
    planned: PlannedManifest,
    start: Start,
    machine: Machine,
    checkpoints: Path | None,
    stage_to: Path | None,
    stop: Stop,
    shards: Sequence[Plan],
    *,
    shared: bool = True,
) -> Orders:
    """What every worker of a run is told.

    Args:
        planned: what runs.
        start: where it begins.
        machine: what of each machine is used, and how.
        checkpoints: the folder in place of each model's own.
        stage_to: the folder of a worker's own disk that weights are copied to; None to read them where they are.
        stop: knows the deadline.
        shards: of the workers, as they are expected: what several of them need is prepared once.
        shared: whether workers see the output folder, and one what another has prepared.
    """
    jobs = [item.job for item in start.left.to_run]
    home = planned.store.layout.folder.absolute()
    root = checkpoints or os.environ.get("STANDIN_CHECKPOINTS")
    return Orders(
        version=__version__,
        manifest=planned.manifest.name,
        directory=Path.cwd(),
        folder=home if shared else None,
        home=home,
        options=planned.store.options,
        bytes_per_pixel=planned.bytes_per_pixel,
        device=machine.device,
        memory=machine.memory,
        checkpoints=Path(root).absolute() if root else None,
        stage_to=stage_to,
        every=planned.manifest.run.checkpoint_every,
        scores=planned.manifest.scores,
        samples=tuple(samples_of(jobs)),
        extents=frozenset(map(Extent.of, jobs)),
        common=common_texts(shards) if shared else {},
        refused=start.refused,
        empty=start.empty,
        until=None if stop.at is None else time.time() + stop.at - time.monotonic(),
    )
