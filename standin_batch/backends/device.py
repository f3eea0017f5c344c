"""The device of a process, and how much of it the weights may take."""

from __future__ import annotations

import re
from collections.abc import Iterable

from standin_batch.errors import NotReadyError, UsageError
from standin_batch.plan.estimate import CPU, Device
from standin_batch.plan.memory import Profile
from standin_batch.plan.peak import Extent, fitting, peaks

AUTO, CUDA = "auto", "cuda"


class DeviceError(NotReadyError):
    """The device that was asked for is not there."""


def resolve_device(wanted: str) -> str:
    """The device that `wanted` means on this machine.

    Raises:
        UsageError: if it is no device.
        DeviceError: if torch does not see it.
    """
    import torch

    if wanted == AUTO:
        return "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", wanted):
        raise UsageError(f"--device: {wanted!r} is no device", "use auto, cpu, cuda or cuda:N")
    device = torch.device(wanted)
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        seen = torch.cuda.device_count()
        raise DeviceError(f"torch sees {seen} CUDA devices, not {wanted}", "run `standin doctor`, or use --device cpu")
    return wanted


def profile_for(extents: Iterable[Extent], memory: str, device: Device) -> Profile:
    """The memory profile of a run.

    Args:
        extents: of the clips that are made.
        memory: a profile, or `auto`: the first whose expected peak fits.
        device: that they are made on.
    """
    return Profile(memory) if memory != AUTO else fitting(peaks(extents), device.memory_bytes)


def device_of_workers(wanted: str, gpus: int) -> tuple[str, int]:
    """The device that each worker of a crew uses, and how many GPUs it is given.

    It is decided before any worker is there: one whose GPU is broken must not compute on its processor instead.

    Args:
        wanted: as `--device` has it.
        gpus: of each worker, as the machine file has it.

    Raises:
        UsageError: if a worker cannot have that device.
    """
    if wanted == CPU.name or (wanted == AUTO and not gpus):
        return CPU.name, 0
    if wanted not in (AUTO, CUDA):
        raise UsageError(f"--device {wanted}: workers have a GPU each, by turns", "leave it out, or use cpu or cuda")
    if not gpus:
        raise UsageError(f"--device {wanted}, but workers have no GPU", "gpus_per_worker = 1 in the machine file")
    return CUDA, gpus
