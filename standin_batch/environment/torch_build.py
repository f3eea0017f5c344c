"""Torch as it is installed: whether it and torchvision can be imported, and for which CUDA and GPUs it was built."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from standin_batch.environment.finding import PIP, Finding, Level

REINSTALL_TORCH = f"{PIP} install --force-reinstall torch torchvision"
_ARCH = re.compile(r"(sm|compute)_(\d+)(\d)[a-z]*")


@dataclass(frozen=True)
class Build:
    """How torch was built.

    Attributes:
        version: of torch.
        cuda: version of CUDA; None for a build without it.
        archs: GPUs that it has code for, as torch names them: `sm_90`, `compute_90`.
    """

    version: str
    cuda: str | None
    archs: tuple[str, ...] = ()

    def runs_on(self, capability: tuple[int, int]) -> bool:
        """Whether there is code for a GPU of this compute capability.

        Binaries (`sm`) run on the same major version from their minor version on, intermediate code (`compute`) on
        everything newer: CUDA C++ Programming Guide, "Binary Compatibility" and "PTX Compatibility".
        """
        for arch in self.archs:
            if (found := _ARCH.fullmatch(arch)) is None:
                continue
            built = int(found[2]), int(found[3])
            if built <= capability and (found[1] == "compute" or built[0] == capability[0]):
                return True
        return False


def torch_findings() -> Iterator[Finding]:
    """Whether torch and torchvision work together, found by importing them."""
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Finding("torch", Level.ERROR, f"cannot be imported: {_first_line(error)}", REINSTALL_TORCH)
        return
    built = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "for CPUs"
    yield Finding("torch", Level.OK, f"{torch.__version__}, built {built}")
    try:
        import torchvision  # type: ignore[import-untyped]
    # A torchvision of another build fails in torch's registry of operators, with whatever that raises.
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        message = f"cannot be imported beside torch {torch.__version__}: {_first_line(error)}"
        yield Finding("torchvision", Level.ERROR, message, REINSTALL_TORCH)
        return
    yield Finding("torchvision", Level.OK, str(torchvision.__version__))


def build() -> Build | None:
    """How torch was built; None if it cannot be imported."""
    try:
        import torch
    except (ImportError, OSError):
        return None
    return Build(torch.__version__, torch.version.cuda, tuple(torch.cuda.get_arch_list()))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
