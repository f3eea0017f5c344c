"""The local backend: the whole plan, in this process, on one device."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from standin_batch.errors import NotReadyError, StandinError, UsageError
from standin_batch.face.checks import Finding
from standin_batch.job import Job
from standin_batch.output.index import is_stale, write_index
from standin_batch.output.store import OutputError, Store, has_video, read_record, recorded_ids
from standin_batch.plan.estimate import Device, estimate
from standin_batch.plan.memory import Profile
from standin_batch.plan.peak import Extent, fitting, peaks
from standin_batch.plan.plan import Plan
from standin_batch.plan.reason import Reason
from standin_batch.run.conduct import Frame, conduct
from standin_batch.run.contact_sheet import write_sheet
from standin_batch.run.deadline import Deadline
from standin_batch.run.events import Listener, RunFinished, Stopping, Warned
from standin_batch.run.executor import Alone, Settings
from standin_batch.run.judging import say, write_all_down
from standin_batch.run.keeper import Every
from standin_batch.run.lock import LockedError, held
from standin_batch.run.log import log_to
from standin_batch.run.measured import Measured, device_of
from standin_batch.run.plan_manifest import PlannedManifest
from standin_batch.run.preflight import preflight, warnings_of
from standin_batch.run.preparing import preparing
from standin_batch.run.profile import FINISH, PLAN, PREFLIGHT, SCORE, TORCH, WEIGHTS, profile_of
from standin_batch.run.ready import find_weights
from standin_batch.run.room import Room
from standin_batch.run.saved import forget_done
from standin_batch.run.scoring import Scoring, video_of
from standin_batch.run.showing import Showing
from standin_batch.run.speed_ready import check_speed
from standin_batch.run.standing import Standing
from standin_batch.run.stop_request import asked
from standin_batch.run.stopping import Stop
from standin_batch.run.watch import watching
from standin_batch.stopwatch import current, part
from standin_batch.weights.locate import ModelFiles, locate_faces
from standin_batch.weights.registry import ROWS

AUTO = "auto"


@dataclass(frozen=True)
class Machine:
    """What of this machine a run uses, and what it puts up with there.

    Attributes:
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        memory: a memory profile, or `auto` for the first that fits.
        max_failures: failed jobs that end the run; None for what the manifest says.
        wait: whether it waits for another run that holds the output.
        goes_on: whether this process goes on after the run, and has to have the memory back.
    """

    device: str = AUTO
    memory: str = AUTO
    max_failures: int | None = None
    wait: bool = False
    goes_on: bool = False


class DeviceError(NotReadyError):
    """The device that was asked for is not there."""


def run_local(
    planned: PlannedManifest, machine: Machine, checkpoints: Path | None, emit: Listener, stop: Stop
) -> RunFinished:
    """Run what is planned here.

    Args:
        planned: what to run, and where its results go.
        machine: what of this machine is used, and how.
        checkpoints: the folder in place of each model's own.
        emit: is told what happens.
        stop: is looked at between steps; whoever made it also listens to signals.

    Raises:
        StandinError: if the plan cannot be started on this machine.
        Stopped: if it is stopped before its first job.
    """
    plan, store = planned.plan, planned.store
    with current().running(), watching(stop, lambda: asked(store.layout), lambda why: emit(Stopping(why))):
        with stop.at_once():
            device = _device(machine, emit)
            check_speed([item.job for item in plan.to_run], device)
            with part(WEIGHTS):
                files = find_weights(plan, checkpoints, emit)
        with opened(store, _waiting(emit) if machine.wait else None, stop):
            log_to(store.layout.log)
            with stop.at_once(), part(PLAN):
                left, now = _still_to_do(planned, checkpoints, emit)
                files = {**files, **find_weights(left, checkpoints, emit)} if _lacks(files, left) else files
            settings = _settings(planned, left, machine, device, files, stop.at)
            settings = replace(settings, empty=now.empty) if planned.asks else settings
            with stop.at_once(), part(PREFLIGHT):
                settings = replace(settings, refused=_preflight(left, planned, files, checkpoints, emit))
            if short := settings.room.shortage([item.job for item in left.to_run]):
                emit(Warned(short, "make room; a run on a full disk ends with 3, and goes on when there is room"))
            frame = frame_of(planned, _seconds(planned, left, device, settings.profile))
            return conduct(left, store, frame, emit, stop, lambda desk: Alone(left, desk, settings))


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


def _device(machine: Machine, emit: Listener) -> str:
    """The device, by torch, whose import takes seconds."""
    with preparing(emit, "starting PyTorch"), part(TORCH):
        return resolve_device(machine.device)


def _waiting(emit: Listener) -> Callable[[str], object]:
    return lambda who: emit(Warned(who))


def _settings(
    planned: PlannedManifest,
    left: Plan,
    machine: Machine,
    device: str,
    files: Mapping[tuple[str, str], ModelFiles],
    deadline: float | None,
) -> Settings:
    """How `left` runs: what of the plan is still to do now."""
    here, options = device_of(device), planned.manifest.run
    costs, profile = Measured.default().costs(here.name), profile_for(left, machine.memory, here)
    room = Room(planned.store.layout.folder, planned.store.options, planned.bytes_per_pixel)
    return Settings(
        manifest=planned.manifest.name,
        device=device,
        files=files.__getitem__,
        profile=profile,
        every=Every.of(options.checkpoint_every),
        max_failures=machine.max_failures or options.max_failures,
        deadline=None if deadline is None else Deadline(deadline, replace(costs, memory=profile)),
        room=room,
        scores=planned.manifest.scores,
        goes_on=machine.goes_on,
    )


def frame_of(planned: PlannedManifest, seconds: float | None) -> Frame:
    """How a run is announced, and how it ends.

    Args:
        planned: what runs.
        seconds: that it is expected to take; None where that is not known.
    """
    standing = (lambda: planned.again()[1]) if planned.asks else (lambda: Standing(()))
    return Frame(manifest=planned.manifest.name, standing=standing, estimated=seconds)


def _seconds(planned: PlannedManifest, left: Plan, device: str, profile: Profile) -> float | None:
    """What the whole process is expected to take."""
    here, scored = device_of(device), planned.manifest.scores.enabled
    return estimate(left, Measured.default().costs(here.name), here, scored=scored, memory=profile).seconds


def profile_for(plan: Plan, memory: str, device: Device) -> Profile:
    """The memory profile of a run.

    Args:
        plan: what runs.
        memory: a profile, or `auto`: the first whose expected peak fits.
        device: that it runs on.
    """
    if memory != AUTO:
        return Profile(memory)
    return fitting(peaks(Extent.of(item.job) for item in plan.to_run), device.memory_bytes)


def settle(planned: PlannedManifest, emit: Listener) -> RunFinished:
    """What a run with nothing to do leaves behind: no half-written files, its manifest, and an index that is there.

    Another run at work sees to all that itself.

    Args:
        planned: with nothing to run.
        emit: is told where the time went.
    """
    plan, folder = planned.plan, str(planned.store.layout.folder)
    with current().running():
        with part(FINISH):
            _tidy(planned)
        emit(profile_of(current()))
    return RunFinished(
        0, 0, 0, 0.0, False, folder, failed_before=len(plan.failed_before), not_accepted=len(plan.not_accepted)
    )


def _tidy(planned: PlannedManifest) -> None:
    store, layout = planned.store, planned.store.layout
    if not layout.records.is_dir():
        return
    with contextlib.suppress(LockedError), opened(store), _writable(layout.folder):
        if planned.asks:
            write_all_down(planned.jobs, layout, planned.standing.empty)
        showing = Showing(layout, planned.plan.total)
        if is_stale(layout):
            write_index(layout)
        if showing.is_stale:
            showing.write(running=False)


@contextlib.contextmanager
def opened(store: Store, wait: Callable[[str], object] | None = None, stop: Stop | None = None) -> Iterator[None]:
    """Within the block, the output folder is this process's alone, clean, and knows its manifest.

    Args:
        store: of the folder.
        wait: is told who holds it, and then that is waited for; None to raise instead.
        stop: ends the waiting.

    Raises:
        LockedError: if another run is at work there.
        OutputError: if it cannot be written.
    """
    with contextlib.ExitStack() as stack:
        with _writable(store.layout.folder):
            stack.enter_context(held(store.layout.lock, wait, (stop or Stop()).wait))
            store.open()
            forget_done(store.layout)
        yield


def _still_to_do(planned: PlannedManifest, checkpoints: Path | None, emit: Listener) -> tuple[Plan, Standing]:
    """What is to do now that nobody else works here: not what another run has finished since it was planned.

    Clips that were made and not looked at are looked at first; where jobs ask something of scores, all is planned anew.
    """
    plan, store = planned.plan, planned.store
    if planned.unscored:
        _score(planned.unscored, planned, checkpoints, emit)
    if planned.asks:
        _, now = planned.again()
        write_all_down(planned.jobs, store.layout, now.empty)
        return planned.again()
    new = {item.job.job_id for item in plan.to_run if item.reason != Reason.FORCED}
    done = frozenset(job_id for job_id in new & recorded_ids(store.layout) if _is_done(store, job_id))
    return plan.without(done) if done else plan, planned.standing


def _score(jobs: Sequence[Job], planned: PlannedManifest, checkpoints: Path | None, emit: Listener) -> None:
    """Look at clips that were made and not scored, as a run that was killed leaves them."""
    layout = planned.store.layout
    scoring = Scoring(layout, planned.manifest.scores.frames, emit)
    with preparing(emit, f"scoring {len(jobs)} of the clips made before"):
        for job in jobs:
            record = read_record(layout, job.job_id)
            if record is not None and has_video(layout, record) and not record.get("scores"):
                video = layout.folder / record["video"]
                with part(SCORE):
                    scores = scoring.score(video_of(job, video, locate_faces(ROWS[job.model], checkpoints)))
                if scores:
                    say(record, layout, scores=scores)


def _is_done(store: Store, job_id: str) -> bool:
    record = read_record(store.layout, job_id)
    return record is not None and has_video(store.layout, record)


@contextlib.contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """What an output folder that cannot be written raises, in a user's words."""
    try:
        yield
    except OSError as error:
        where, why = error.filename or folder, error.strerror or error
        cure = "choose another output.folder, or mend this disk"
        raise OutputError(f"{where} cannot be written: {why}", cure) from error


def resolve_device(wanted: str) -> str:
    """The device that `wanted` means on this machine.

    Raises:
        UsageError: if it is no device.
        DeviceError: if torch does not see it.
    """
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", wanted):
        raise UsageError(f"--device: {wanted!r} is no device", "use auto, cpu, cuda or cuda:N")
    device = torch.device(wanted)
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        seen = torch.cuda.device_count()
        raise DeviceError(f"torch sees {seen} CUDA devices, not {wanted}", "run `standin doctor`, or use --device cpu")
    return wanted
