"""Jobs on their way, on disk: latents between two steps, done latents, or frames that could not be written.

A job is taken up where it was saved, by the same software on the same kind of device; what another version has saved,
or what cannot be read, does not count, and the job begins anew. There is no random state to save: all of a job's noise
is drawn from its seed before its first step.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from standin_batch.files import write_atomic
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import has_video, read_record

if TYPE_CHECKING:
    import torch

SAVED_VERSION = 1

MAX_HEADER = 1 << 24


@dataclass(frozen=True)
class Progress:
    """How far a saved job is.

    Attributes:
        step: steps done.
        steps: in all.
        bytes: of the file.
    """

    step: int
    steps: int
    bytes: int


@dataclass(frozen=True)
class Saved:
    """A job on its way.

    Attributes:
        job_id: of the job.
        made_by: software and kind of device that it goes on with.
        step: steps done.
        steps: in all.
        latents: as the engine has them after that step, on the CPU.
        frames: uint8 [num_frames, height, width, 3]; None before decoding.
        seconds: spent so far, by phase.
        peak_memory: bytes of GPU memory at the highest so far; None without a GPU.
        memory: profile of the memory that it was made with so far.
        report: what its mode has to say of it, once it is done.
        warnings: of it.
    """

    job_id: str
    made_by: Mapping[str, str]
    step: int
    steps: int
    latents: torch.Tensor
    frames: np.ndarray | None
    seconds: Mapping[str, float]
    peak_memory: int | None
    memory: str
    report: Mapping[str, Any]
    warnings: tuple[str, ...]


def write_saved(layout: OutputLayout, saved: Saved) -> None:
    """Write `saved` in the place of what was saved of that job before.

    Raises:
        DiskFullError: if there is no room.
        OSError: if it cannot be written for another reason.
    """
    import torch
    from safetensors.torch import save

    tensors = {"latents": saved.latents.detach().cpu().contiguous()}
    if saved.frames is not None:
        tensors["frames"] = torch.from_numpy(np.ascontiguousarray(saved.frames))
    told = {
        "version": SAVED_VERSION,
        "job_id": saved.job_id,
        "made_by": dict(saved.made_by),
        "step": saved.step,
        "steps": saved.steps,
        "seconds": dict(saved.seconds),
        "peak_memory": saved.peak_memory,
        "memory": saved.memory,
        "report": dict(saved.report),
        "warnings": list(saved.warnings),
    }
    write_atomic(layout.saved_state(saved.job_id), save(tensors, metadata={"saved": json.dumps(told)}))


def read_saved(layout: OutputLayout, job_id: str, made_by: Mapping[str, str]) -> Saved | None:
    """What is saved of a job that `made_by` can go on with; None without."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(layout.saved_state(job_id), framework="pt") as file:
            told = json.loads(file.metadata()["saved"])
            if (told["version"], told["job_id"], told["made_by"]) != (SAVED_VERSION, job_id, dict(made_by)):
                return None
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
        return Saved(
            job_id=job_id,
            made_by=told["made_by"],
            step=int(told["step"]),
            steps=int(told["steps"]),
            latents=tensors["latents"],
            frames=tensors["frames"].numpy() if "frames" in tensors else None,
            seconds=told["seconds"],
            peak_memory=told["peak_memory"],
            memory=told["memory"],
            report=told["report"],
            warnings=tuple(told["warnings"]),
        )
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None


def progress(layout: OutputLayout, job_id: str) -> Progress | None:
    """How far a saved job is; None where nothing is saved. Read without torch."""
    path = layout.saved_state(job_id)
    try:
        told = json.loads(_metadata(path)["saved"])
        return Progress(int(told["step"]), int(told["steps"]), path.stat().st_size)
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        return None


def how_far(layout: OutputLayout, job_id: str) -> str:
    """What the next run does with a job, in words."""
    saved = progress(layout, job_id)
    return "begins anew" if saved is None else f"goes on from step {saved.step} of {saved.steps}"


def forget_saved(layout: OutputLayout, job_id: str) -> None:
    """Remove what is saved of a job; where that fails, `forget_done` does it at the next start."""
    with suppress(OSError):
        layout.saved_state(job_id).unlink(missing_ok=True)


def forget_done(layout: OutputLayout) -> None:
    """Remove what is saved of jobs that are done: a crash can come between their record and that."""
    for path in layout.saved.glob("*.safetensors"):
        record = read_record(layout, path.stem)
        if record is not None and has_video(layout, record):
            forget_saved(layout, path.stem)


def _metadata(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > MAX_HEADER:
            raise ValueError(f"{path} has no safetensors header")
        return dict(json.loads(file.read(length))["__metadata__"])
