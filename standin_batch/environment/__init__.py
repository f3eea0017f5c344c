"""What this machine and its Python lack, each finding with its cure in one line that can be pasted.

`quick_findings` reads only what is installed, in milliseconds, and is shown at every run; `all_findings` also imports
the libraries and asks the driver and the GPU, for `standin doctor`. What a manifest needs is no business of this
package: `run/diagnosis.py` looks at that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from standin_batch.environment.disk import disk_finding
from standin_batch.environment.finding import REINSTALL_ORT, Finding, Level
from standin_batch.environment.gpu import gpu_findings
from standin_batch.environment.onnx_runtime import onnxruntime_findings, two_onnxruntimes
from standin_batch.environment.packages import library_findings, python_finding, torchvision_pair
from standin_batch.environment.programs import attention_finding, ffmpeg_finding
from standin_batch.environment.torch_build import torch_findings

__all__ = ["REINSTALL_ORT", "Finding", "Level", "all_findings", "disk_finding", "quick_findings"]


def quick_findings() -> list[Finding]:
    """What is not as it should be, as far as the list of installed packages tells."""
    return [found for check in (two_onnxruntimes, torchvision_pair) for found in check()]


def all_findings() -> list[Finding]:
    """Everything that was looked at, good and bad. Imports torch and onnxruntime, asks the driver, starts ffmpeg."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        python_finding,
        torchvision_pair,
        torch_findings,
        gpu_findings,
        onnxruntime_findings,
        library_findings,
        attention_finding,
        ffmpeg_finding,
        lambda: disk_finding("disk", Path.cwd()),
    )
    return [found for check in checks for found in check()]
