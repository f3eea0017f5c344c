"""The keys of a machine file: their types, their ranges, and what they are for.

Models here declare keys; they are not instantiated. `manifest.checking` takes one key at a time from them.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from standin_batch.machine.settings import RayOptions, SlurmOptions
from standin_batch.machine.time_limit import minutes_of
from standin_batch.manifest.kinds import refuse
from standin_batch.manifest.sections import Section
from standin_batch.manifest.words import clip

RAY_DEFAULTS, SLURM_DEFAULTS = RayOptions(), SlurmOptions()

MOST_WORKERS = 10_000
MOST_MINUTES = 366 * 24 * 60

ADDRESS = re.compile(r"(auto|local|(ray://)?[A-Za-z0-9_.\[\]:-]+:\d{1,5})\Z")
MEMORY = re.compile(r"\d{1,9}[KMGT]?\Z")

OWN_KEYS = {
    "partition": "partition",
    "account": "account",
    "qos": "qos",
    "constraint": "constraint",
    "reservation": "reservation",
    "time": "time",
    "mem": "mem",
    "cpus-per-task": "cpus_per_worker",
    "gpus-per-node": "gpus_per_worker",
    "gpus-per-task": "gpus_per_worker",
    "gpus": "gpus_per_worker",
}
"""Options of sbatch that have a key of their own here."""

OF_THE_BACKEND = frozenset(
    (
        "array",
        "signal",
        "requeue",
        "no-requeue",
        "output",
        "error",
        "open-mode",
        "nodes",
        "ntasks",
        "ntasks-per-node",
        "job-name",
    )
)
"""Options of sbatch that the backend needs to have its own way."""


def _address(value: str) -> str:
    if not ADDRESS.match(value):
        raise refuse(f"is no address: '{clip(value, 40)}'", 'such as "auto", "head:6379" or "ray://head:10001"')
    return value


def _folder(value: str) -> str:
    if not value.startswith(("/", "~", "$")):
        raise refuse(
            f"is relative: '{clip(value, 40)}'", 'nodes need a whole path, such as "/scratch/standin" or "$TMPDIR"'
        )
    return value


def _limit(value: int | str) -> int:
    minutes = value if isinstance(value, int) else minutes_of(value)
    if not minutes or not 0 < minutes <= MOST_MINUTES:
        raise refuse(f"is no limit of time: '{clip(str(value), 40)}'", 'minutes, "12h" or "12:00:00"; at most a year')
    return minutes


def _memory(value: str) -> str:
    if not MEMORY.match(value):
        raise refuse(f"is no size of memory: '{clip(value, 40)}'", 'a number and K, M, G or T, such as "64G"')
    return value


def _texts(value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise refuse("is no list of texts", 'such as `["module load cuda"]`')
    return value


def _extra(value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, dict) or not all(isinstance(item, str | int) for item in value.values()):
        raise refuse("is no table of texts, whole numbers and `true`", 'such as `{mail-user = "me@example.org"}`')
    for name in value:
        _may_be_extra(name)
    return value


def _may_be_extra(name: str) -> None:
    option = name.lstrip("-").replace("_", "-")
    if option in OWN_KEYS:
        raise refuse(f"`extra` has `{clip(name)}`", f"write `{OWN_KEYS[option]}` into `[slurm]`")
    if option in OF_THE_BACKEND:
        raise refuse(f"`extra` has `{clip(name)}`, which the Slurm backend sets by itself", "remove it")


Workers = Annotated[int, Field(ge=1, le=MOST_WORKERS)]
Gpus = Annotated[int, Field(ge=0, le=1)]
Processors = Annotated[int, Field(ge=1, le=1024)]
Text = Annotated[str, Field(min_length=1)]
Address = Annotated[str, AfterValidator(_address)]
Folder = Annotated[str, AfterValidator(_folder), WithJsonSchema({"type": "string", "format": "path"})]
TimeLimit = Annotated[int | str, AfterValidator(_limit), WithJsonSchema({"type": "string", "format": "time-limit"})]
Memory = Annotated[str, AfterValidator(_memory)]
Texts = Annotated[list[str], BeforeValidator(_texts)]
Extra = Annotated[dict[str, Any], BeforeValidator(_extra)]


class RaySection(Section):
    """How `backend = "ray"` runs."""

    address: Address | None = Field(default=None)
    """Where the cluster is: `auto` or `HOST:PORT`, on one of its machines, or `ray://HOST:PORT` from another one.
    Without it a cluster of this machine is started."""
    workers: Workers | None = Field(default=None)
    """At most so many workers; one for each GPU there is unless said."""
    gpus_per_worker: Gpus = Field(default=RAY_DEFAULTS.gpus_per_worker)
    """1, or 0 for workers on the CPU."""
    cpus_per_worker: Processors = Field(default=RAY_DEFAULTS.cpus_per_worker)
    """Processors that Ray counts for each worker."""
    threads: Processors | None = Field(default=None)
    """`OMP_NUM_THREADS` of each worker; its processors unless said."""
    shared: bool = Field(default=RAY_DEFAULTS.shared)
    """Whether all nodes see the output folder and the inputs under the same paths."""


class SlurmSection(Section):
    """How `backend = "slurm"` runs."""

    workers: Workers | None = Field(default=None)
    """How many workers: the size of the array. It has to be said."""
    partition: Text | None = Field(default=None)
    """The partition; the cluster's own default unless said, and likewise below."""
    account: Text | None = Field(default=None)
    """Who pays."""
    qos: Text | None = Field(default=None)
    """The quality of service."""
    constraint: Text | None = Field(default=None)
    """Features that a node has to have."""
    reservation: Text | None = Field(default=None)
    """Nodes that were set aside."""
    time: TimeLimit | None = Field(default=None)
    """How long a worker may take until it is requeued: `12:00:00`, `12h`, or minutes."""
    gpus_per_worker: Gpus = Field(default=SLURM_DEFAULTS.gpus_per_worker)
    """1, or 0 for workers on the CPU."""
    cpus_per_worker: Processors = Field(default=SLURM_DEFAULTS.cpus_per_worker)
    """Processors of each worker."""
    mem: Memory | None = Field(default=None)
    """Memory of each worker."""
    threads: Processors | None = Field(default=None)
    """`OMP_NUM_THREADS` of each worker; its processors unless said."""
    setup: Texts = Field(default=[])
    """Lines of shell before the worker starts."""
    signal_before: Annotated[int, Field(ge=10, le=3600)] = Field(default=SLURM_DEFAULTS.signal_before)
    """Seconds before the limit at which a worker saves what it has and is requeued."""
    max_requeues: Annotated[int, Field(ge=0, le=10_000)] = Field(default=SLURM_DEFAULTS.max_requeues)
    """How often a worker is requeued at most."""
    extra: Extra = Field(default={})
    """Further options of sbatch."""


class MachineSections(Section):
    """A machine file: where a run happens, and with what."""

    backend: Literal["local", "ray", "slurm"] = Field(default="local")
    """Where a run happens unless `--backend` says it."""
    stage_to: Folder | None = Field(default=None)
    """A folder on a disk of each node; weights are copied there once and loaded from there. `$TMPDIR` and other
    variables are the node's."""
    ray: RaySection | None = Field(default=None)
    """How Ray is used."""
    slurm: SlurmSection | None = Field(default=None)
    """How Slurm is used."""
