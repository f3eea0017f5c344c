"""The local backend: the whole plan, in this process, on one device."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from standin_batch.backends.device import AUTO, profile_for, resolve_device
from standin_batch.backends.start import Manner, Start, frame_of, started
from standin_batch.plan.estimate import estimate
from standin_batch.plan.memory import Profile
from standin_batch.plan.peak import Extent
from standin_batch.plan.plan import Plan
from standin_batch.run.conduct import conduct
from standin_batch.run.deadline import Deadline
from standin_batch.run.events import Listener, RunFinished, Stopping
from standin_batch.run.executor import Alone, Settings
from standin_batch.run.keeper import Every
from standin_batch.run.measured import Measured, device_of
from standin_batch.run.plan_manifest import PlannedManifest
from standin_batch.run.preparing import preparing
from standin_batch.run.profile import TORCH, WEIGHTS
from standin_batch.run.speed_ready import check_speed
from standin_batch.run.staging import staged_files
from standin_batch.run.stop_request import asked
from standin_batch.run.stopping import Stop
from standin_batch.run.watch import watching
from standin_batch.stopwatch import current, part


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


def run_local(
    planned: PlannedManifest,
    machine: Machine,
    checkpoints: Path | None,
    emit: Listener,
    stop: Stop,
    stage_to: Path | None = None,
) -> RunFinished:
    """Run what is planned here.

    Args:
        planned: what to run, and where its results go.
        machine: what of this machine is used, and how.
        checkpoints: the folder in place of each model's own.
        emit: is told what happens.
        stop: is looked at between steps; whoever made it also listens to signals.
        stage_to: the folder of this machine's disk that weights are copied to; None to read them where they are.

    Raises:
        StandinError: if the plan cannot be started on this machine.
        Stopped: if it is stopped before its first job.
    """
    layout = planned.store.layout
    with current().running(), watching(stop, lambda: asked(layout), lambda why: emit(Stopping(why))):
        with stop.at_once():
            device = _device(machine, emit)
            check_speed([item.job for item in planned.plan.to_run], device)
        with started(planned, checkpoints, emit, stop, Manner(wait=machine.wait)) as start:
            with stop.at_once(), part(WEIGHTS):
                start = replace(start, files=staged_files(start.files, stage_to, emit, start.left))
            settings = _settings(planned, start, machine, device, stop.at)
            frame = frame_of(planned, _seconds(planned, start.left, device, settings.profile))
            return conduct(start.left, planned.store, frame, emit, stop, lambda desk: Alone(start.left, desk, settings))


def _device(machine: Machine, emit: Listener) -> str:
    """The device, by torch, whose import takes seconds."""
    with preparing(emit, "starting PyTorch"), part(TORCH):
        return resolve_device(machine.device)


def _settings(
    planned: PlannedManifest, start: Start, machine: Machine, device: str, deadline: float | None
) -> Settings:
    """How what is left runs here."""
    here, options = device_of(device), planned.manifest.run
    profile = profile_for((Extent.of(item.job) for item in start.left.to_run), machine.memory, here)
    costs = replace(Measured.default().costs(here.name), memory=profile)
    return Settings(
        manifest=planned.manifest.name,
        device=device,
        files=start.files.__getitem__,
        profile=profile,
        every=Every.of(options.checkpoint_every),
        max_failures=machine.max_failures or options.max_failures,
        deadline=None if deadline is None else Deadline(deadline, costs),
        room=start.room,
        scores=planned.manifest.scores,
        empty=start.empty,
        refused=start.refused,
        goes_on=machine.goes_on,
    )


def _seconds(planned: PlannedManifest, left: Plan, device: str, profile: Profile) -> float | None:
    """What the whole process is expected to take."""
    here, scored = device_of(device), planned.manifest.scores.enabled
    return estimate(left, Measured.default().costs(here.name), here, scored=scored, memory=profile).seconds
