"""ONNX Runtime, which runs the face models: which build is here, and whether the libraries beside it are its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from standin_batch.environment.finding import PIP, REINSTALL_ORT, Finding, Level
from standin_batch.environment.packages import installed, requirements
from standin_batch.environment.torch_build import build

GPU_PACKAGE = "onnxruntime-gpu"
CUDA_PROVIDER = "CUDAExecutionProvider"
ONE_CUDA = f"{PIP} install --upgrade torch torchvision {GPU_PACKAGE}  # the newest of each are built for one CUDA"


def two_onnxruntimes() -> Iterator[Finding]:
    """Both packages write the same folder: with both, the one installed later has won, usually the one for CPUs."""
    if installed("onnxruntime") and installed(GPU_PACKAGE):
        message = (
            "onnxruntime and onnxruntime-gpu are both installed and overwrite each other: faces may run on the CPU"
        )
        yield Finding("onnxruntime", Level.WARNING, message, REINSTALL_ORT)


def onnxruntime_findings() -> Iterator[Finding]:
    """Its version and providers, and what keeps it from the GPU. Imports it and torch."""
    try:
        import onnxruntime
    except (ImportError, OSError) as error:
        yield Finding("onnxruntime", Level.ERROR, f"cannot be imported: {error}", REINSTALL_ORT)
        return
    providers = onnxruntime.get_available_providers()
    yield Finding("onnxruntime", Level.OK, f"{onnxruntime.__version__}, {', '.join(providers)}")
    both = list(two_onnxruntimes())
    yield from both
    if CUDA_PROVIDER in providers:
        yield from _beside_torch()
    elif shutil.which("nvidia-smi") and not both:
        yield Finding("onnxruntime", Level.WARNING, "it has no CUDA provider: faces run on the CPU", REINSTALL_ORT)


def _beside_torch() -> Iterator[Finding]:
    """It takes CUDA and cuDNN from the packages that torch brings along, so both must be built for the same ones."""
    torch = build()
    if torch is None or torch.cuda is None:
        return
    wanted, here = _built_for(), torch.cuda.split(".")[0]
    if wanted is not None and wanted != here:
        message = f"it is built for CUDA {wanted}, but torch {torch.version} brings CUDA {here}: faces run on the CPU"
        yield Finding("onnxruntime", Level.WARNING, message, ONE_CUDA)
    yield from _cudnn()


def _built_for() -> str | None:
    try:
        from onnxruntime.capi import build_and_package_info
    except ImportError:
        return None
    return str(getattr(build_and_package_info, "cuda_version", "")).split(".")[0] or None


def _cudnn() -> Iterator[Finding]:
    """Torch's own cuDNN, against the one that onnxruntime-gpu's metadata ask for."""
    import torch

    number: int | None = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    if number is None:
        yield Finding("cudnn", Level.WARNING, f"torch {torch.__version__} comes without it", ONE_CUDA)
        return
    version = cudnn_version(number)
    needed = next((each for name, each in requirements(GPU_PACKAGE, "cudnn").items() if "cudnn" in name), None)
    if needed is None or needed.specifier.contains(version):
        yield Finding("cudnn", Level.OK, version)
    else:
        message = f"{version} comes with torch, onnxruntime-gpu needs {needed.specifier}: faces run on the CPU"
        yield Finding("cudnn", Level.WARNING, message, ONE_CUDA)


def cudnn_version(number: int) -> str:
    """What people call the version that cuDNN counts as `number`: 92600 is 9.26.0, and before 9 8907 was 8.9.7."""
    if number >= 90_000:
        return f"{number // 10_000}.{number // 100 % 100}.{number % 100}"
    return f"{number // 1000}.{number // 100 % 10}.{number % 100}"
