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

COMPILERS = {
    False: ("C++", "CXX", ("g++", "clang++"), "g++"),
    True: ("C", "CC", ("cc", "gcc", "clang"), "gcc"),
}
"""What the compiler of blocks calls on a CPU, and on a GPU: language, variable that names one, programs, package."""

ON_A_GPU = "standin run --device cuda:N"

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
    if any(speed.compile for speed in asked):
        yield from _compile(capability, installed, found)


def check_speed(jobs: Iterable[Job], device: str) -> None:
    """Look whether a device can do what `jobs` ask for.

    Args:
        jobs: to run.
        device: as torch names it.

    Raises:
        SpeedError: with all that it cannot.
    """
    if faults := list(speed_faults(jobs, _capability(device))):
        cures = dict.fromkeys(fault.hint for fault in faults)
        raise SpeedError("; ".join(fault.message for fault in faults), "; ".join(cures))


def _capability(device: str) -> Capability | None:
    import torch

    return torch.cuda.get_device_capability(device) if device.startswith("cuda") else None


def _fp8(capability: Capability | None, installed: Callable[[str], bool]) -> Iterator[SpeedError]:
    least = ".".join(map(str, FP8_CAPABILITY))
    if capability is None or capability < FP8_CAPABILITY:
        here = "there is no GPU" if capability is None else f"this one has {capability[0]}.{capability[1]}"
        cure = f"leave `fp8` out of `speed`, or run on such a GPU: {ON_A_GPU}"
        yield SpeedError(f"`fp8` needs a GPU of compute capability {least}, and {here}", cure)
    elif not installed("torchao"):
        yield SpeedError("`fp8` needs torchao, which is not installed", f"{PIP} install 'standin-batch[fp8]'")


def _sage(capability: Capability | None, installed: Callable[[str], bool]) -> Iterator[SpeedError]:
    if capability is None:
        cure = f"write `attention: exact`, or run on a GPU: {ON_A_GPU}"
        yield SpeedError("`attention: sage` needs a GPU, and there is none", cure)
    elif not installed("sageattention"):
        lacks = "`attention: sage` needs SageAttention, which is not installed"
        yield SpeedError(lacks, f"{PIP} install sageattention")


def _compile(
    capability: Capability | None, installed: Callable[[str], bool], found: Callable[[str], object]
) -> Iterator[SpeedError]:
    """On a GPU Triton makes the kernels, and what calls them is C; on a CPU they are C++."""
    if capability is not None and not installed("triton"):
        yield SpeedError("`compile` needs triton on a GPU, and it is not installed", f"{PIP} install triton")
    language, variable, programs, package = COMPILERS[capability is not None]
    if not any(map(found, filter(None, (os.environ.get(variable), *programs)))):
        cure = f"sudo apt-get install {package}, or leave `compile` out of `speed`"
        yield SpeedError(f"`compile` needs a {language} compiler, and there is none", cure)
