"""What this machine and its Python lack, each finding with its cure in one line that can be pasted.

`quick_findings` reads only what is installed, in milliseconds, and is shown at every run; `all_findings` also imports
the libraries and asks the GPU, for `standin doctor`.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

REINSTALL_ORT = (
    f"{sys.executable} -m pip uninstall -y onnxruntime && "
    f"{sys.executable} -m pip install --force-reinstall --no-deps onnxruntime-gpu"
)


class Level(str, Enum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what was looked at.
        level: whether it is as it should be.
        message: what was found.
        cure: a line to paste; empty when all is well.
    """

    subject: str
    level: Level
    message: str
    cure: str = ""


def quick_findings() -> list[Finding]:
    """What is not as it should be, as far as the list of installed packages tells."""
    return [found for check in (_onnxruntime_packages, _torchvision_pair) for found in check()]


def all_findings() -> list[Finding]:
    """Everything that was looked at, good and bad. Imports torch and onnxruntime."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _python,
        _torchvision_pair,
        _torch,
        _onnxruntime_providers,
        _libraries,
        _attention,
        _ffmpeg,
        _disk,
    )
    return [found for check in checks for found in check()]


def _python() -> Iterator[Finding]:
    yield Finding("python", Level.OK, f"{sys.version.split()[0]} on {sys.platform}")


def _onnxruntime_packages() -> Iterator[Finding]:
    """Both packages write the same folder: with both, the one installed later has won, usually the one for CPUs."""
    if _installed("onnxruntime") and _installed("onnxruntime-gpu"):
        message = (
            "onnxruntime and onnxruntime-gpu are both installed and overwrite each other: faces may run on the CPU"
        )
        yield Finding("onnxruntime", Level.WARNING, message, REINSTALL_ORT)


def _torchvision_pair() -> Iterator[Finding]:
    """Each torchvision is built for one torch, and says so in its metadata."""
    try:
        needs = [line for line in distribution("torchvision").requires or [] if re.match(r"torch\b", line)]
        wanted = re.search(r"==\s*([\w.]+)", needs[0]) if needs else None
        found = version("torch").split("+")[0]
    except PackageNotFoundError:
        return
    if wanted is not None and wanted[1] != found:
        cure = f"{sys.executable} -m pip install torch=={wanted[1]}"
        yield Finding("torchvision", Level.ERROR, f"it is built for torch {wanted[1]}, but torch {found} is here", cure)


def _torch() -> Iterator[Finding]:
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Finding("torch", Level.ERROR, f"cannot be imported: {error}", f"{sys.executable} -m pip install torch")
        return
    yield Finding("torch", Level.OK, torch.__version__)
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(index)
            name = torch.cuda.get_device_name(index)
            yield Finding("gpu", Level.OK, f"cuda:{index} {name}, {free / 2**30:.0f} of {total / 2**30:.0f} GiB free")
    elif shutil.which("nvidia-smi"):
        message = f"there is an NVIDIA driver, but torch {torch.__version__} does not see a GPU"
        yield Finding("gpu", Level.ERROR, message, "nvidia-smi  # compare its CUDA version with torch's build")
    else:
        yield Finding("gpu", Level.WARNING, "none: the tiny models run on the CPU, the 14B ones need a GPU")


def _onnxruntime_providers() -> Iterator[Finding]:
    try:
        import onnxruntime
    except ImportError as error:
        yield Finding("onnxruntime", Level.ERROR, f"cannot be imported: {error}", REINSTALL_ORT)
        return
    providers = ", ".join(onnxruntime.get_available_providers())
    yield Finding("onnxruntime", Level.OK, f"{onnxruntime.__version__}, {providers}")
    yield from _onnxruntime_packages()


def _libraries() -> Iterator[Finding]:
    for name in ("diffsynth", "insightface", "facexlib", "imageio-ffmpeg", "huggingface_hub"):
        if _installed(name):
            yield Finding(name, Level.OK, version(name))
        else:
            yield Finding(name, Level.ERROR, "not installed", f"{sys.executable} -m pip install {name}")


def _attention() -> Iterator[Finding]:
    from importlib.util import find_spec

    kernels = {"flash_attn_interface": "FlashAttention-3", "flash_attn": "FlashAttention-2", "sageattention": "Sage"}
    found = [name for module, name in kernels.items() if find_spec(module)]
    yield Finding("attention", Level.OK, ", ".join([*found, "PyTorch SDPA"]))


def _ffmpeg() -> Iterator[Finding]:
    try:
        import imageio_ffmpeg

        yield Finding("ffmpeg", Level.OK, f"{imageio_ffmpeg.get_ffmpeg_version()}, {imageio_ffmpeg.get_ffmpeg_exe()}")
    except (ImportError, RuntimeError) as error:
        yield Finding("ffmpeg", Level.ERROR, str(error), f"{sys.executable} -m pip install imageio-ffmpeg")


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(Path.cwd()).free
    yield Finding("disk", Level.OK, f"{free / 2**30:.0f} GiB free here")


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
