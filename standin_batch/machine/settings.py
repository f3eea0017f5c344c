"""What a machine file says, as the backends read it: plain values, checked, with defaults for what is not written.

How the keys are spelt and checked is said in `sections`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LOCAL, RAY, SLURM = "local", "ray", "slurm"
BACKENDS = (LOCAL, RAY, SLURM)
"""Where a plan can run."""


@dataclass(frozen=True)
class RayOptions:
    """How a run uses Ray.

    Attributes:
        address: of the cluster, as `ray.init` takes it; None to start one of this machine.
        workers: at most so many; None for one for each GPU there is.
        gpus_per_worker: 1, or 0 for workers on the CPU.
        cpus_per_worker: processors that Ray counts for each worker.
        threads: of each worker; None for its processors.
        shared: whether all nodes see the output folder and the inputs under the same paths.
    """

    address: str | None = None
    workers: int | None = None
    gpus_per_worker: int = 1
    cpus_per_worker: int = 1
    threads: int | None = None
    shared: bool = True

    @property
    def omp_threads(self) -> int:
        """`OMP_NUM_THREADS` of each worker."""
        return self.threads or self.cpus_per_worker


@dataclass(frozen=True)
class SlurmOptions:
    """How a run uses Slurm. What is None is left to the cluster.

    Attributes:
        workers: tasks of the array; None where the file has no such table.
        partition: as sbatch takes it, and likewise `account`, `qos`, `constraint` and `reservation`.
        account: see there.
        qos: see there.
        constraint: see there.
        reservation: see there.
        time: limit of each worker's time, in minutes.
        gpus_per_worker: 1, or 0 for workers on the CPU.
        cpus_per_worker: processors of each worker.
        mem: memory of each worker, as sbatch takes it, such as `64G`.
        threads: of each worker; None for its processors.
        setup: lines of shell before the worker starts.
        signal_before: seconds before the limit at which a worker saves what it has and is requeued.
        max_requeues: how often a worker is requeued at most.
        extra: further options of sbatch, without their dashes; True for one without a value.
    """

    workers: int | None = None
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    reservation: str | None = None
    time: int | None = None
    gpus_per_worker: int = 1
    cpus_per_worker: int = 1
    mem: str | None = None
    threads: int | None = None
    setup: tuple[str, ...] = ()
    signal_before: int = 120
    max_requeues: int = 100
    extra: Mapping[str, str | int | bool] = field(default_factory=dict)

    @property
    def omp_threads(self) -> int:
        """`OMP_NUM_THREADS` of each worker."""
        return self.threads or self.cpus_per_worker


@dataclass(frozen=True)
class MachineFile:
    """A machine file, or what holds without one.

    Attributes:
        backend: one of `BACKENDS`.
        stage_to: folder on a disk of each node that weights are copied to before they are loaded, as it is written:
            a variable in it is each node's own; None to load them from where they are.
        ray: what the backend of that name is told.
        slurm: likewise.
        path: of the file; None where there is none.
    """

    backend: str = LOCAL
    stage_to: Path | None = None
    ray: RayOptions = field(default_factory=RayOptions)
    slurm: SlurmOptions = field(default_factory=SlurmOptions)
    path: Path | None = None
