"""What this machine has measured: how fast it computes and loads, and what runs take, kept in the user's cache.

A file of JSON lines that is appended to, one line for each finished job, each load and each whole run: a crash costs at
most its last line, and several processes can share it. Machines that share it over a network can write over each
other's lines: what is no whole line is passed over. What is learnt from them is `plan.learnt`'s business.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

from standin_batch.digests import cache_folder
from standin_batch.errors import NotReadyError
from standin_batch.files import replace_atomic
from standin_batch.job import Job
from standin_batch.plan.cost import CostModel
from standin_batch.plan.estimate import CPU, Device
from standin_batch.plan.kind import counts_of, kept_kind, marks_of, work_kind
from standin_batch.plan.learnt import LAST, PROMPTS, WORKING, learnt
from standin_batch.plan.memory import Profile
from standin_batch.plan.state import ModelKey
from standin_batch.plan.work import job_flop
from standin_batch.speed import EXACT

TAIL_BYTES = 1 << 20
"""As much of the file is read: some 3,000 lines."""

MOST_BYTES = 4 << 20
"""Of a file that is larger the end is kept, and the rest forgotten."""

MOST_TEXTS = 500
"""Of a run as many are noted; more would be 15 bytes each, and those are told as if they had to be encoded again."""

WORKING_PHASES = ("denoise", "decode")
"""Phases of a job that `job_flop` counts."""


@dataclass(frozen=True)
class Measured:
    """The measurements of this machine.

    Attributes:
        path: the file of JSON lines; made with the first measurement.
    """

    path: Path

    @classmethod
    def default(cls) -> Measured:
        """Those of this user."""
        return cls(cache_folder() / "throughput.jsonl")

    def add_job(
        self,
        device: str,
        job: Job,
        seconds: Mapping[str, float],
        kept: float = 0.0,
        scored: bool = False,
        memory: str = Profile.RESIDENT.value,
    ) -> None:
        """Note how long a finished job took.

        Args:
            device: in its driver's words.
            job: that is finished.
            seconds: by phase of the engine's clock.
            kept: seconds that the writer's thread was at work on its clip.
            scored: whether the clip was looked at there.
            memory: the profile that it was made under.
        """
        what = {
            "device": device,
            "model": job.model,
            "dtype": job.dtype,
            "speed": str(job.speed),
            "memory": memory,
            "flop": job_flop(job),
            "kind": work_kind(job, memory),
            "kept_kind": kept_kind(job, scored),
            "whole": round(sum(seconds.get(phase, 0.0) for phase in WORKING), 6),
            "switch": round(seconds.get("switch", 0.0), 6),
            "kept": round(kept, 6),
        }
        self._append(what, sum(seconds.get(phase, 0.0) for phase in WORKING_PHASES))

    def add_run(
        self,
        device: str,
        jobs: Sequence[Job],
        scored: bool,
        parts: Mapping[str, float],
        kept: float,
        memory: str = Profile.RESIDENT.value,
        encoded: int | None = None,
    ) -> None:
        """Note how long a whole run took, in which all went well.

        Args:
            device: in its driver's words.
            jobs: that it made, in their order.
            scored: whether all clips were looked at.
            parts: seconds by part, as `run.profile.PARTS` names them.
            kept: seconds that the writer's thread was at work.
            memory: the profile that its jobs were made under.
            encoded: how many of its texts were not remembered; None for all of them.
        """
        counts, marks = counts_of(jobs), [mark for marks in marks_of(jobs).values() for mark in marks]
        what = {
            "device": device,
            "run": {part: round(seconds, 4) for part, seconds in parts.items() if seconds},
            "kept_seconds": round(kept, 4),
            "counts": counts if encoded is None else {**counts, PROMPTS: encoded},
            "texts": marks[:MOST_TEXTS],
            "jobs": Counter(work_kind(job, memory) for job in jobs),
            "kept": Counter(kept_kind(job, scored or job.accept is not None) for job in jobs),
        }
        self._append(what, sum(parts.values()))
        self._trim()

    def add_load(self, device: str, model: ModelKey, seconds: float) -> None:
        """Note how long a model took to load."""
        self._append({"device": device, "model": model[0], "dtype": model[1]}, seconds)
        self._trim()  # workers of a crew note no whole run

    def costs(self, device: str) -> CostModel:
        """The cost model of `device`: the median of the last measurements of each model and dtype.

        Only exact jobs tell how fast it computes: what others give up, or leave out, says nothing of those that do not.
        Of these only those under the highest memory profile that was seen: below it weights are waited for.
        """
        rates: dict[ModelKey, dict[str, list[float]]] = {}
        loads: dict[ModelKey, list[float]] = {}
        lines = [line for line in self._lines() if line.get("device") == device]
        for line in lines:
            if (found := _checked(line)) is not None:
                model, flop, seconds = found
                if flop is None:
                    loads.setdefault(model, []).append(seconds)
                elif line.get("speed", str(EXACT)) == str(EXACT):  # before lines had it, there was only one
                    memory = str(line.get("memory", Profile.RESIDENT.value))
                    rates.setdefault(model, {}).setdefault(memory, []).append(flop / seconds)
        highest = {model: values for model, found in rates.items() if (values := _highest(found))}
        return CostModel(throughput=_medians(highest), loading=_medians(loads), learnt=learnt(lines))

    def last_gpu(self) -> Device | None:
        """The GPU that was measured last, whose memory is not known; None where none was."""
        names = [name for line in self._lines() if isinstance(name := line.get("device"), str) and name != CPU.name]
        return Device(names[-1]) if names else None

    def _append(self, what: dict[str, Any], seconds: float) -> None:
        """One write for the whole line, so that lines of several processes do not mix."""
        line = json.dumps({**what, "seconds": round(seconds, 6)}) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(descriptor, (_newline_due(descriptor) + line).encode())
            finally:
                os.close(descriptor)
        except OSError:
            # A measurement that cannot be kept costs an estimate, never a run.
            return

    def _trim(self) -> None:
        """Forget the beginning of a file that has grown too large; a line that another process adds now may be lost."""
        with suppress(OSError, NotReadyError):
            if self.path.stat().st_size > MOST_BYTES:
                kept = _tail(self.path).partition(b"\n")[2]  # its first line may be cut
                with replace_atomic(self.path) as temporary:
                    temporary.write_bytes(kept)

    def _lines(self) -> Iterator[dict[str, Any]]:
        try:
            tail = _tail(self.path)
        except OSError:
            return
        for line in tail.splitlines():
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - TAIL_BYTES))
        return file.read()


def _newline_due(descriptor: int) -> str:
    """A line that a crash cut short must not swallow the next one."""
    size = os.fstat(descriptor).st_size
    return "\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else ""


def _checked(line: Mapping[str, Any]) -> tuple[ModelKey, float | None, float] | None:
    try:
        flop = None if line.get("flop") is None else float(line["flop"])
        seconds = float(line["seconds"])
        model = (str(line["model"]), str(line["dtype"]))
    except (KeyError, TypeError, ValueError):
        return None
    usable = 0 < seconds < inf and (flop is None or 0 < flop < inf)
    return (model, flop, seconds) if usable else None


def _medians(found: Mapping[ModelKey, list[float]]) -> dict[ModelKey, float]:
    return {model: median(values[-LAST:]) for model, values in found.items()}


def _highest(found: Mapping[str, list[float]]) -> list[float]:
    """What was measured under the highest profile."""
    return next((found[profile.value] for profile in Profile if profile.value in found), [])


def likely_device() -> Device:
    """What `--device auto` means here, as far as can be told without torch: the first GPU, or the CPU."""
    found = device_of("cuda")
    return CPU if found.memory_bytes is None else found


def likely_worker(here: Device) -> Device:
    """What a worker with a GPU computes on: one like this machine's, or where it has none the one measured last.

    Args:
        here: the device of this machine, which may be a login node; the answer where no GPU is known.
    """
    return here if here != CPU else Measured.default().last_gpu() or CPU


def device_of(device: str) -> Device:
    """What `device` (as torch names it) is, in the driver's words; its own name where the driver does not answer."""
    if device == CPU.name:
        return CPU
    gpus = _gpus(_visible(int(device.partition(":")[2] or 0)))
    return gpus[0] if gpus else Device(device)


def _visible(index: int) -> str:
    """The driver's name of the GPU that torch counts as `index`."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return str(index)
    names = [name.strip() for name in chosen.split(",") if name.strip()]
    return names[index] if index < len(names) else ""


def _gpus(name: str) -> list[Device]:
    """Asks `nvidia-smi`, which is there with every driver and answers without torch."""
    if not name:
        return []
    command = ["nvidia-smi", f"--id={name}", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [gpu for line in ran.stdout.splitlines() if (gpu := _gpu(line)) is not None]


def _gpu(line: str) -> Device | None:
    name, comma, mebibytes = line.rpartition(",")
    return Device(name.strip(), int(mebibytes) << 20) if comma and mebibytes.strip().isdigit() else None
