"""What a backend needs on this machine and does not find, looked at without importing any of it.

A cluster itself is only asked for `standin doctor`.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Iterator
from typing import TypeAlias

from standin_batch.environment import Finding, Level, disk_finding
from standin_batch.environment.finding import PIP
from standin_batch.environment.packages import installed as version_of
from standin_batch.errors import NotReadyError, StandinError, UsageError
from standin_batch.machine import LOCAL, RAY, SLURM, MachineFile
from standin_batch.run.speed_ready import is_installed

PACKAGES = {RAY: "ray", SLURM: "submitit"}
"""What talks to it, by backend; it comes with the extra of the backend's name."""

Installed: TypeAlias = "Callable[[str], bool]"
"""Says of a package whether it is there."""

SBATCH = "sbatch"
CLIENT = "ray://"


class BackendMissing(NotReadyError):
    """A backend cannot be used from this machine."""


def backend_faults(
    name: str,
    settings: MachineFile,
    installed: Installed = is_installed,
    found: Callable[[str], object] = shutil.which,
) -> Iterator[StandinError]:
    """What keeps a run from a backend here, each with its cure.

    Args:
        name: of the backend.
        settings: of the machine file.
        installed: says of a package whether it is there.
        found: says of a program whether it is there.
    """
    package = PACKAGES.get(name)
    if package is not None and not installed(package):
        lacks = f"the backend `{name}` needs {package}, which is not installed"
        yield BackendMissing(lacks, f"{PIP} install 'standin-batch[{name}]'")
    elif name == RAY and (settings.ray.address or "").startswith(CLIENT) and not installed("grpc"):
        lacks = f"the address {settings.ray.address} needs grpcio, which is not installed"
        yield BackendMissing(lacks, f"{PIP} install 'ray[client]'")
    if name == SLURM:
        yield from _slurm(settings, found)


def _slurm(settings: MachineFile, found: Callable[[str], object]) -> Iterator[StandinError]:
    if not found(SBATCH):
        cure = "call it where Slurm is, such as the cluster's login node, or use --backend local"
        yield BackendMissing(f"the backend `slurm` needs `{SBATCH}`, which is not here", cure)
    if settings.slurm.workers is None:
        where = settings.path or "standin.toml"
        yield UsageError(
            "the backend `slurm` needs to know how many workers there are to be",
            f"write `workers = 8`, or as many as you like, below `[slurm]` in {where}",
        )


def backend_findings(settings: MachineFile, installed: Installed = is_installed) -> Iterator[Finding]:
    """For `standin doctor`: which backend a machine file asks for, and whether that can be used from here.

    Args:
        settings: of the machine file.
        installed: says of a package whether it is there.
    """
    name, where = settings.backend, settings.path
    faults = list(backend_faults(name, settings, installed))
    if name == SLURM and shutil.which(SBATCH):
        faults += _of_the_cluster(settings)
    told = f"{name}: there is no standin.toml" if where is None else f"{name}, as {shlex.quote(str(where))} says"
    for fault in faults:
        yield Finding("backend", Level.ERROR, f"{told}: {fault.message}", fault.hint)
    if not faults:
        yield Finding("backend", Level.OK, told + _there(name))
    if name == LOCAL and settings.stage_to is not None and "$" not in str(settings.stage_to):
        yield from disk_finding("stage_to", settings.stage_to.expanduser())


def _of_the_cluster(settings: MachineFile) -> Iterator[StandinError]:
    from standin_batch.backends.slurm.refusals import cluster_faults

    return cluster_faults(settings.slurm, settings.path)


def _there(name: str) -> str:
    """What is there for a backend."""
    package = PACKAGES.get(name)
    parts = [] if package is None else [f"{package} {version_of(package) or 'without a version'}"]
    parts += [str(shutil.which(SBATCH))] if name == SLURM else []
    return f": {', '.join(parts)}" if parts else ""
