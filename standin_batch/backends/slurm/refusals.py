"""What Slurm's refusals mean for whoever wrote the machine file: which key is wrong, and what can be done."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from standin_batch.backends.slurm.client import SlurmError, ask_slurm
from standin_batch.machine import SlurmOptions

UNREACHABLE = (
    "could not establish a configuration source",
    "resolve_ctls",
    "unable to process configuration file",
    "unable to contact slurm controller",
)
"""Parts of what programs say that do not find their cluster."""

HERE = "is this a host of the cluster, and does its controller run? try it: sinfo"

KEYS = {
    "invalid partition": "partition",
    "generic resource (gres)": "gpus_per_worker",
    "invalid account": "account",
    "invalid qos": "qos",
    "feature specification": "constraint",
    "reservation is invalid": "reservation",
    "time limit": "time",
    "node configuration is not available": "mem`, `cpus_per_worker` and `constraint",
}
"""Keys of `[slurm]`, by parts of what sbatch says of the option that each of them becomes (slurm_errno.c)."""

CURES = {
    "partition": "sinfo lists what there is",
    "gpus_per_worker": "`gpus_per_worker = 0` is for workers on the CPU, or where Slurm does not know the GPUs",
    "account": "sacctmgr show associations user=$USER lists yours",
    "qos": "sacctmgr show qos lists what there is",
    "constraint": "sinfo --format='%N %f' lists what nodes have",
    "reservation": "scontrol show reservation lists what there is",
    "time": "sinfo --format='%P %l' lists how long each partition gives",
    "mem`, `cpus_per_worker` and `constraint": "sinfo --format='%N %c %m %f' lists what nodes have",
}

ASKED_FOR = 10.0
"""Seconds in which a cluster that can be used says which partitions it has."""


def cure_of(said: str, config: Path | None) -> str:
    """What to do about a refusal.

    Args:
        said: by sbatch or another program.
        config: the machine file; None where there is none.
    """
    if _is_elsewhere(said):
        return HERE
    words = said.lower()
    key = next((key for part, key in KEYS.items() if part in words), None)
    where = "the machine file" if config is None else shlex.quote(str(config))
    return f"look at `[slurm]` in {where}" if key is None else f"look at `{key}` in {where}: {CURES[key]}"


def cluster_faults(options: SlurmOptions, config: Path | None) -> Iterator[SlurmError]:
    """What keeps a run from the cluster of this machine, by asking that.

    Args:
        options: of the machine file.
        config: the machine file; None where there is none.
    """
    try:
        partitions = ask_slurm("sinfo", "--noheader", "--format=%R", patience=ASKED_FOR).split()
    except SlurmError as error:
        cure = HERE if _is_elsewhere(error.message) else error.hint
        yield SlurmError(f"the cluster cannot be reached: {error.message}", cure)
        return
    unknown = set((options.partition or "").split(",")) - {"", *partitions}
    if unknown:
        there = ", ".join(dict.fromkeys(partitions)) or "none"
        told = f"there is no partition {' or '.join(sorted(unknown))}, but {there}"
        yield SlurmError(told, cure_of("invalid partition", config))


def _is_elsewhere(said: str) -> bool:
    return any(part in said.lower() for part in UNREACHABLE)
