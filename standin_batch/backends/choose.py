"""Which backend runs a plan: the option's, else the machine file's; what it needs is imported when it is used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from standin_batch.backends.lacks import Installed, backend_faults
from standin_batch.errors import NotReadyError, UsageError
from standin_batch.machine import BACKENDS, RAY, SLURM, MachineFile, load_machine
from standin_batch.run.speed_ready import is_installed

if TYPE_CHECKING:
    from standin_batch.backends.local import Machine
    from standin_batch.run.events import Listener, RunFinished
    from standin_batch.run.plan_manifest import PlannedManifest
    from standin_batch.run.stopping import Stop


@dataclass(frozen=True)
class Backend:
    """Where a run happens.

    Attributes:
        name: one of `machine.BACKENDS`.
        settings: of the machine file.
    """

    name: str
    settings: MachineFile

    def run(
        self, planned: PlannedManifest, machine: Machine, checkpoints: Path | None, emit: Listener, stop: Stop
    ) -> RunFinished:
        """Run what is planned; arguments, and what it returns and raises, are those of `local.run_local`."""
        stage_to = self.settings.stage_to
        if self.name == RAY:
            from standin_batch.backends.ray import run_ray

            planned = _for_workers(planned, machine, self.settings.ray.gpus_per_worker)
            return run_ray(planned, machine, self.settings.ray, stage_to, checkpoints, emit, stop)
        if self.name == SLURM:
            from standin_batch.backends.slurm import run_slurm

            planned, slurm = _for_workers(planned, machine, self.settings.slurm.gpus_per_worker), self.settings.slurm
            return run_slurm(planned, machine, slurm, stage_to, checkpoints, emit, stop, self.settings.path)
        from standin_batch.backends.local import run_local

        return run_local(planned, machine, checkpoints, emit, stop, stage_to)


def choose(
    name: str | None = None,
    config: Path | None = None,
    workers: int | None = None,
    installed: Installed = is_installed,
) -> Backend:
    """The backend of a run, which can be used from this machine.

    Args:
        name: of the backend; the machine file's where it is None.
        config: the machine file; found as `load_machine` does where it is None.
        workers: how many; as many as the machine file says where it is None.
        installed: says of a package whether it is there.

    Raises:
        MachineFileError: if the machine file is wrong.
        UsageError: if there is no such backend, or the machine file does not say what it needs.
        NotReadyError: naming all that it needs and that is not here.
    """
    if name is not None and name not in BACKENDS:
        raise UsageError(f"there is no backend {name!r}", f"use one of {', '.join(BACKENDS)}")
    settings = _with(workers, load_machine(config))
    backend = Backend(name or settings.backend, settings)
    if workers is not None and backend.name not in (RAY, SLURM):
        raise UsageError("a local run has no workers", "say which there are to be: --backend ray, or --backend slurm")
    faults = list(backend_faults(backend.name, settings, installed))
    for fault in faults:
        if isinstance(fault, UsageError):
            raise fault
    if faults:
        cures = dict.fromkeys(fault.hint for fault in faults)
        raise NotReadyError("; ".join(fault.message for fault in faults), "; ".join(cures))
    return backend


def _with(workers: int | None, settings: MachineFile) -> MachineFile:
    """The same settings with so many workers."""
    if workers is None:
        return settings
    ray, slurm = replace(settings.ray, workers=workers), replace(settings.slurm, workers=workers)
    return replace(settings, ray=ray, slurm=slurm)


def _for_workers(planned: PlannedManifest, machine: Machine, gpus: int) -> PlannedManifest:
    """The plan as it is shared out: by what workers take, and not by what the driver's machine would."""
    from standin_batch.plan.estimate import CPU
    from standin_batch.run.measured import likely_worker

    return planned.on(likely_worker(planned.device) if gpus and machine.device != CPU.name else CPU)
