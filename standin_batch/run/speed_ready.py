"""Whether this machine can do what `speed` asks for: looked at before any weights are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec

from standin_batch.environment.finding import PIP
from standin_batch.errors import NotReadyError
from standin_batch.job import Job

FP8_CAPABILITY = (8, 9)
"""Compute capability from which GPUs multiply 8-bit floating point numbers: Ada and Hopper."""

COMPILERS = (*filter(None, (os.environ.get("CXX"),)), "g++", "clang++")
"""Of which the compiler of blocks needs one: for kernels of a CPU, and to call those of a GPU."""

Capability = tuple[int, int]


class SpeedError(NotReadyError):
    """A speed-up that this machine does not have."""


def is_installed(package: str) -> bool:
    """Whether a package can be imported, as far as that is known without doing it."""
    return find_spec(package) is not None


def speed_faults(
    jobs: Iterable[Job],
    capability: Capability | None,
    installed: Callable[[str], bool] = is_installed,
    found: Callable[[str], object] = shutil.which,
) -> Iterator[SpeedError]:
    """What keeps this machine from what `jobs` ask for, each with its cure.

    Args:
        jobs: to run.
        capability: compute capability of the GPU that runs them; None without one.
        installed: says of a package whether it is there.
        found: says of a program whether it is there.
    """
    asked = {job.speed for job in jobs}
    if any(speed.fp8 for speed in asked):
        yield from _fp8(capability, installed)
    if any(speed.attention == "sage" for speed in asked):
        yield from _sage(capability, installed)
    if any(speed.compile for speed in asked) and not any(map(found, COMPILERS)):
        cure = "sudo apt-get install g++, or leave `compile` out of `speed`"
        yield SpeedError("`compile` needs a C++ compiler, and there is none", cure)


def check_speed(jobs: Iterable[Job], device: str) -> None:
    """Look whether a device can do what `jobs` ask for.

    Args:
        jobs: to run.
        device: as torch names it.

    Raises:
        SpeedError: for the first thing that it cannot.
    """
    for fault in speed_faults(jobs, _capability(device)):
        raise fault


def _capability(device: str) -> Capability | None:
    import torch

    return torch.cuda.get_device_capability(device) if device.startswith("cuda") else None


def _fp8(capability: Capability | None, installed: Callable[[str], bool]) -> Iterator[SpeedError]:
    least = ".".join(map(str, FP8_CAPABILITY))
    if not installed("torchao"):
        yield SpeedError("`fp8` needs torchao, which is not installed", f"{PIP} install 'standin-batch[fp8]'")
    if capability is None or capability < FP8_CAPABILITY:
        here = "there is no GPU" if capability is None else f"this one has {capability[0]}.{capability[1]}"
        cure = "leave `fp8` out of `speed`, or run on such a GPU: --device cuda:N"
        yield SpeedError(f"`fp8` needs a GPU of compute capability {least}, and {here}", cure)


def _sage(capability: Capability | None, installed: Callable[[str], bool]) -> Iterator[SpeedError]:
    if not installed("sageattention"):
        yield SpeedError(
            "`attention: sage` needs SageAttention, which is not installed", f"{PIP} install sageattention"
        )
    if capability is None:
        cure = "write `attention: exact`, or run on a GPU: --device cuda:N"
        yield SpeedError("`attention: sage` needs a GPU, and there is none", cure)
