"""Which attention kernel this machine takes for a shape: measured once, and remembered by the user.

So a job computes the same bits in every run on one machine: another choice on another day would round otherwise.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from standin_batch.digests import cache_folder
from standin_batch.engine.dit.attention import EXACT, PLAIN, Shape, fastest
from standin_batch.files import DiskFullError, write_atomic
from standin_batch.locks.held import HeldError
from standin_batch.locks.lock import exclusive

logger = logging.getLogger(__name__)

PACKAGES = ("flash_attn", "flash_attn_3")
"""That bring kernels; another version of one is measured anew."""

Measure = Callable[[Shape, torch.dtype, str], tuple[str, Any]]


@dataclass
class Kernels:
    """The kernels of one device.

    Attributes:
        device: as torch names it.
        path: where choices are remembered.
        measure: finds the fastest.
    """

    device: str
    path: Path = field(default_factory=lambda: cache_folder() / "attention.json")
    measure: Measure = fastest
    _known: dict[str, str] = field(default_factory=dict, repr=False)

    def name_for(self, shape: Shape, dtype: torch.dtype) -> str:
        """The name of the kernel that `shape` is computed with here: measured unless it is known."""
        if not self.device.startswith("cuda"):
            return PLAIN
        key = f"{_place(self.device)}, {dtype}, {shape}"
        if self._known.get(key) not in EXACT:
            with _alone(self.path):
                kept = _read(self.path)
                if kept.get(key) not in EXACT:
                    kept[key], _ = self.measure(shape, dtype, self.device)
                    _write(self.path, kept)
            self._known[key] = kept[key]
        return self._known[key]


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Within the block no other process chooses, so that all take what the first one found."""
    with ExitStack() as stack:
        try:
            stack.enter_context(exclusive(path.with_suffix(".lock"), wait=lambda _: None))
        except (OSError, HeldError) as error:
            logger.info("attention is chosen without a lock: %s", error)
        yield


def _place(device: str) -> str:
    """The device and the libraries that decide how fast a kernel is, and how it rounds."""
    name = torch.cuda.get_device_name(device) if torch.cuda.is_available() else device
    cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    packages = [f"{package} {found}" for package in PACKAGES if (found := _version(package))]
    return ", ".join([name, f"torch {torch.__version__}", f"cudnn {cudnn}", *packages])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _write(path: Path, known: dict[str, str]) -> None:
    """What cannot be kept is measured again by the next run."""
    try:
        write_atomic(path, json.dumps(known, indent=1, sort_keys=True))
    except (OSError, DiskFullError) as error:
        logger.info("the choice of attention is not kept: %s", error)
