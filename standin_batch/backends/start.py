"""What every backend does before the first job: the folder is taken, weights are found, the people are looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from standin_batch.backends.folder import opened
from standin_batch.backends.unscored import score_made
from standin_batch.errors import StandinError
from standin_batch.face.checks import Finding
from standin_batch.job import Job
from standin_batch.output.store import is_done, recorded_ids
from standin_batch.plan.plan import Plan
from standin_batch.plan.reason import Reason
from standin_batch.run.conduct import Frame
from standin_batch.run.contact_sheet import write_sheet
from standin_batch.run.events import Listener, Warned
from standin_batch.run.judging import write_all_down
from standin_batch.run.log import log_to
from standin_batch.run.plan_manifest import PlannedManifest
from standin_batch.run.preflight import preflight, warnings_of
from standin_batch.run.profile import PLAN, PREFLIGHT, WEIGHTS
from standin_batch.run.ready import find_weights
from standin_batch.run.room import Room
from standin_batch.run.standing import Standing
from standin_batch.run.stopping import Stop
from standin_batch.stopwatch import part
from standin_batch.weights.locate import ModelFiles, WeightsMissing, locate_faces
from standin_batch.weights.registry import ROWS


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a run takes its output folder.

    Attributes:
        wait: whether it waits for another run that holds the output.
        joins: first attempts of the jobs of workers that are at work there without a driver, and whose this process
            becomes: the plan is what is left of these jobs, whatever its limit. None where there may be none.
        patience: seconds in which such workers may end, where they may not.
        no_array: whether a scheduler was asked, and has no array any more for this folder.
        has_weights: whether this machine has to have the weights; those that it has not, workers have.
    """

    wait: bool = False
    joins: Collection[str] | None = None
    patience: float = 0.0
    no_array: bool = False
    has_weights: bool = True


@dataclass(frozen=True)
class Start:
    """Where a run begins.

    Attributes:
        left: what of the plan is still to do.
        files: of each row and base in it.
        refused: what preflight objects to so much that a job is not made, by its id.
        empty: ids of jobs whose videos show nothing, and would again.
        room: on the disk of the output.
    """

    left: Plan
    files: Mapping[tuple[str, str], ModelFiles]
    refused: Mapping[str, Finding]
    empty: frozenset[str]
    room: Room


@contextmanager
def started(
    planned: PlannedManifest,
    checkpoints: Path | None,
    emit: Listener,
    stop: Stop,
    manner: Manner | None = None,
) -> Iterator[Start]:
    """Within the block, the output folder is this process's, and all that comes before the first job is done.

    Args:
        planned: what to run, and where its results go.
        checkpoints: the folder in place of each model's own.
        emit: is told what happens.
        stop: ends it at once.
        manner: in which the folder is taken; that of a run which is alone unless given.

    Raises:
        StandinError: if the plan cannot be started on this machine.
        Stopped: if it is stopped.
    """
    store, room = planned.store, Room(planned.store.layout.folder, planned.store.options, planned.bytes_per_pixel)
    manner = manner or Manner()
    has_weights, joins = manner.has_weights, manner.joins
    with stop.at_once(), part(WEIGHTS):
        files = find_weights(planned.plan, checkpoints, emit) if has_weights else _found(planned, checkpoints, emit)
    told = (lambda who: emit(Warned(who))) if manner.wait else None
    beside, patience, no_array = joins is not None, manner.patience, manner.no_array
    with opened(store, told, stop, beside_workers=beside, patience=patience, no_array=no_array):
        log_to(store.layout.log)
        with stop.at_once(), part(PLAN):
            left, now = still_to_do(planned, checkpoints, emit) if joins is None else joined(planned, joins)
            if has_weights and _lacks(files, left):
                files = {**files, **find_weights(left, checkpoints, emit)}
        with stop.at_once(), part(PREFLIGHT):
            refused = _preflight(left, planned, files, checkpoints, emit)
        if short := room.shortage([item.job for item in left.to_run]):
            emit(Warned(short, "make room; a run on a full disk ends with 3, and goes on when there is room"))
        yield Start(left, files, refused, now.empty if planned.asks else frozenset(), room)


def frame_of(planned: PlannedManifest, seconds: float | None) -> Frame:
    """How a run is announced, and how it ends.

    Args:
        planned: what runs.
        seconds: that it is expected to take; None where that is not known.
    """
    standing = (lambda: planned.again()[1]) if planned.asks else (lambda: Standing(()))
    return Frame(manifest=planned.manifest.name, standing=standing, estimated=seconds)


def _found(planned: PlannedManifest, checkpoints: Path | None, emit: Listener) -> Mapping[tuple[str, str], ModelFiles]:
    """Weights, where this machine has them; jobs of weights that it does not know are told apart by their names."""
    try:
        return find_weights(planned.plan, checkpoints, emit)
    except WeightsMissing as error:
        emit(
            Warned(f"{error.message}: workers have to have it", "nobody checks that all of them have the same weights")
        )
        return {}


def _lacks(files: Mapping[tuple[str, str], ModelFiles], plan: Plan) -> bool:
    return any((group.model, group.base) not in files for group in plan.groups)


def _preflight(
    plan: Plan,
    planned: PlannedManifest,
    files: Mapping[tuple[str, str], ModelFiles],
    checkpoints: Path | None,
    emit: Listener,
) -> Mapping[str, Finding]:
    """Look at the people of a manifest, and say what is wrong; the jobs that are refused for it, by their id.

    All of them, as two may be the same person; but nobody where none of those is to be made.
    """
    if all(item.job.subject is None for item in plan.to_run):
        return {}
    layout, models = planned.store.layout, {job.model for job in planned.jobs}
    known = {model: found.faces for (model, _), found in files.items()}
    faces = {model: known.get(model) or locate_faces(ROWS[model], checkpoints) for model in models}
    found = preflight([*planned.jobs, *_attempts(plan)], planned.manifest.faces, faces, layout, emit)
    for warning in warnings_of(found, planned.manifest.path):
        emit(warning)
    try:
        write_sheet(layout.preflight, planned.manifest.name, found)
    except (OSError, StandinError) as error:  # what needs the disk more will say so
        emit(Warned(f"the contact sheet could not be written: {error}"))
    return found.refused


def _attempts(plan: Plan) -> Iterator[Job]:
    """Jobs of a plan that a manifest does not name."""
    return (item.job for item in plan.to_run if item.job.attempt)


def still_to_do(planned: PlannedManifest, checkpoints: Path | None, emit: Listener) -> tuple[Plan, Standing]:
    """What is to do now that nobody else works here: not what another run has finished since it was planned.

    Clips that were made and not looked at are looked at first; where jobs ask something of scores, all is planned anew.

    Args:
        planned: before.
        checkpoints: the folder in place of each model's own.
        emit: is told what happens.

    Returns:
        What is to do, and where jobs stand that ask something of their scores.
    """
    plan, store = planned.plan, planned.store
    _score(planned.unscored, planned, checkpoints, emit)
    if planned.asks:
        _write_down(planned)
        return planned.again()
    new = {item.job.job_id for item in plan.to_run if item.reason != Reason.FORCED}
    done = frozenset(job_id for job_id in new & recorded_ids(store.layout) if is_done(store.layout, job_id))
    return plan.without(done) if done else plan, planned.standing


def joined(planned: PlannedManifest, joins: Collection[str]) -> tuple[Plan, Standing]:
    """The same of the jobs of workers that are at work: they write the records, and here none is touched.

    Args:
        planned: before.
        joins: ids of first attempts of these jobs.
    """
    return planned.whole()[0].only(joins), planned.again()[1]


def put_in_order(planned: PlannedManifest, checkpoints: Path | None, emit: Listener) -> None:
    """Once no worker is at work any more: look at clips that nobody has looked at, and say what becomes of them.

    Args:
        planned: whose clips they are.
        checkpoints: the folder in place of each model's own.
        emit: is told what happens.
    """
    _score(planned.whole()[1], planned, checkpoints, emit)
    if planned.asks:
        _write_down(planned)


def _score(jobs: Sequence[Job], planned: PlannedManifest, checkpoints: Path | None, emit: Listener) -> None:
    score_made(jobs, planned.store.layout, planned.manifest.scores.frames, checkpoints, emit)


def _write_down(planned: PlannedManifest) -> None:
    _, now = planned.again()
    write_all_down(planned.jobs, planned.store.layout, now.empty)
