"""The GPUs of this machine and their driver, and whether this torch can work with them.

The driver is asked through `nvidia-smi`, which comes with it and answers whatever torch does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from standin_batch.environment.finding import Finding, Level
from standin_batch.environment.torch_build import REINSTALL_TORCH, Build, build

ASK_SECONDS = 20
INSTALL_DRIVER = "sudo ubuntu-drivers install && sudo reboot"
UPDATE_DRIVER = "sudo apt-get update && sudo ubuntu-drivers install && sudo reboot"

OLDEST_DRIVER = {11: 450, 12: 525, 13: 580}
"""The first driver branch for each CUDA: NVIDIA's CUDA Toolkit Release Notes, "CUDA Compatibility", for Linux."""

_HEADER = re.compile(r"CUDA(?: \w+)? Version\s*:\s*(\d+)\.(\d+)")
_QUERY = "name,memory.total,driver_version,compute_cap"


@dataclass(frozen=True)
class Gpu:
    """One GPU, in the driver's words.

    Attributes:
        name: of the product.
        memory: bytes.
        driver: its version.
        capability: compute capability, such as (9, 0); None where the driver is too old to say.
    """

    name: str
    memory: int
    driver: str
    capability: tuple[int, int] | None


@dataclass(frozen=True)
class Driver:
    """What the driver says.

    Attributes:
        gpus: in its order.
        cuda: the newest CUDA that it runs; None where it does not say.
        trouble: why it does not answer; empty when it does.
    """

    gpus: tuple[Gpu, ...]
    cuda: tuple[int, int] | None
    trouble: str = ""


def gpu_findings() -> Iterator[Finding]:
    """The GPUs, or what keeps torch from using them. Imports torch and, where a GPU is there, starts CUDA."""
    driver = ask_driver()
    if driver is None:
        yield Finding("gpu", Level.WARNING, "none: the tiny models run on the CPU, the 14B ones need a GPU")
        return
    found = list(judge(driver, build()))
    yield from found
    if driver.gpus and all(finding.level is not Level.ERROR for finding in found):
        yield from _seen_by_torch(driver)


def judge(driver: Driver, torch: Build | None) -> Iterator[Finding]:
    """What the driver and torch's build say of each other.

    Args:
        driver: what it says.
        torch: how it was built; None if it cannot be imported, which is a finding of its own.
    """
    if not driver.gpus:
        cure = f"sudo modprobe nvidia && nvidia-smi  # if that fails too: {INSTALL_DRIVER}"
        yield Finding("driver", Level.ERROR, driver.trouble or "it knows of no GPU", cure)
        return
    cuda = "" if driver.cuda is None else f", up to CUDA {driver.cuda[0]}.{driver.cuda[1]}"
    yield Finding("driver", Level.OK, f"{driver.gpus[0].driver}{cuda}")
    if torch is None:
        return
    if torch.cuda is None:
        message = f"torch {torch.version} is built without CUDA, and there is {driver.gpus[0].name}"
        yield Finding("gpu", Level.ERROR, message, REINSTALL_TORCH)
        return
    yield from _too_old(driver, torch.version, torch.cuda)
    yield from _no_code(driver.gpus, torch)


def _too_old(driver: Driver, version: str, cuda: str) -> Iterator[Finding]:
    """Minor versions of CUDA are compatible with each other, major ones only with newer drivers."""
    major = int(cuda.split(".")[0])
    if driver.cuda is None or major <= driver.cuda[0]:
        return
    oldest = f"; it takes driver {OLDEST_DRIVER[major]} or newer" if major in OLDEST_DRIVER else ""
    message = (
        f"driver {driver.gpus[0].driver} runs CUDA up to {driver.cuda[0]}.{driver.cuda[1]}, "
        f"but torch {version} is built for CUDA {cuda}{oldest}"
    )
    yield Finding("driver", Level.ERROR, message, UPDATE_DRIVER)


def _no_code(gpus: Sequence[Gpu], torch: Build) -> Iterator[Finding]:
    for index, gpu in enumerate(gpus):
        if gpu.capability is not None and torch.archs and not torch.runs_on(gpu.capability):
            major, minor = gpu.capability
            message = (
                f"cuda:{index} {gpu.name} has compute capability {major}.{minor}, but torch {torch.version} "
                f"has code for {', '.join(torch.archs)} only"
            )
            cure = f"{REINSTALL_TORCH}  # for a GPU older than these: an older torch"
            yield Finding("gpu", Level.ERROR, message, cure)


def _seen_by_torch(driver: Driver) -> Iterator[Finding]:
    try:
        import torch
    except (ImportError, OSError):
        return
    if not torch.cuda.is_available():
        yield Finding(
            "gpu", Level.ERROR, f"torch {torch.__version__} does not see {driver.gpus[0].name}", _why_unseen()
        )
        return
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        major, minor = torch.cuda.get_device_capability(index)
        message = f"cuda:{index} {torch.cuda.get_device_name(index)}, compute capability {major}.{minor}, "
        message += f"{free / 2**30:.0f} of {total / 2**30:.0f} GiB free"
        yield Finding("gpu", Level.OK, message)


def _why_unseen() -> str:
    if os.environ.get("CUDA_VISIBLE_DEVICES") is not None:
        return "unset CUDA_VISIBLE_DEVICES"
    return "sudo modprobe nvidia_uvm && ls -l /dev/nvidia*  # in a container: start it with --gpus all"


def ask_driver() -> Driver | None:
    """What the NVIDIA driver says; None where there is none."""
    if shutil.which("nvidia-smi") is None:
        return None
    listed = _smi(f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits")
    gpus = tuple(gpu for line in listed.splitlines() if (gpu := _gpu(line)) is not None)
    if not gpus:
        return Driver((), None, (listed.strip().splitlines() or ["nvidia-smi says nothing"])[0])
    header = _HEADER.search(_smi())
    return Driver(gpus, None if header is None else (int(header[1]), int(header[2])))


def _smi(*arguments: str) -> str:
    try:
        ran = subprocess.run(
            ["nvidia-smi", *arguments], capture_output=True, text=True, timeout=ASK_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"nvidia-smi cannot be asked: {error}"
    return ran.stdout or ran.stderr


def _gpu(line: str) -> Gpu | None:
    """One line of the list: the name may hold commas, what follows it does not."""
    parts = [part.strip() for part in line.rsplit(",", 3)]
    if len(parts) < 4 or not parts[1].isdigit():
        return None
    version = re.fullmatch(r"(\d+)\.(\d+)", parts[3])
    return Gpu(parts[0], int(parts[1]) << 20, parts[2], None if version is None else (int(version[1]), int(version[2])))
