"""The array that works in an output folder, written down there: a driver that comes later finds it by its name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from standin_batch.attempts import attempt
from standin_batch.files import write_atomic
from standin_batch.output.layout import OutputLayout
from standin_batch.plan.plan import Plan

PREFIX = "slurm-"


@dataclass(frozen=True)
class Array:
    """An array.

    Attributes:
        name: that Slurm knows it by, and no other array has.
        id: that Slurm gave it; empty until it did.
        shards: the jobs of each task in the order of ranks, by the ids of their first attempts.
        forced: whether it makes also what was made before.
    """

    name: str
    id: str
    shards: tuple[tuple[str, ...], ...]
    forced: bool = False

    @property
    def jobs(self) -> frozenset[str]:
        """All jobs that it makes."""
        return frozenset(job for shard in self.shards for job in shard)

    def rank_of(self, job_id: str) -> int:
        """Whose job it is; -1 of an attempt that came later."""
        return next((rank for rank, shard in enumerate(self.shards) if job_id in shard), -1)


def worker_name(array: str, rank: int, restarts: int = 0) -> str:
    """What the worker of a rank of an array is called; another one each time that Slurm starts it again.

    So it need not wait for the lock of the one before it, whose node may be gone without a word.
    """
    return f"{PREFIX}{array}_{rank}" + (f".{restarts}" if restarts else "")


def workers_of(layout: OutputLayout, array: str, rank: int | None = None) -> Mapping[str, int]:
    """The workers of an array that have begun, and their ranks: in the order in which they came for each rank."""
    found = [(name, _numbers(name, array)) for name in _names(layout.workers)]
    mine = sorted((numbers, name) for name, numbers in found if numbers is not None and rank in (None, numbers[0]))
    return {name: numbers[0] for numbers, name in mine}


def events_file(layout: OutputLayout, worker: str) -> Path:
    """What a worker tells the driver."""
    return layout.worker(worker).folder / "events.jsonl"


def folder_of(layout: OutputLayout) -> Path:
    """Where the array's own files lie: what it was submitted with, and what its tasks print."""
    return layout.array.tasks


def written(layout: OutputLayout) -> Array | None:
    """The array that was submitted last; None where none was, or nobody can read of it."""
    try:
        told = json.loads(layout.array.file.read_bytes())
        return Array(told["name"], told["id"], tuple(map(tuple, told["shards"])), told["forced"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write(layout: OutputLayout, array: Array) -> None:
    """Write it down.

    Raises:
        OSError: if that is not possible.
    """
    write_atomic(layout.array.file, json.dumps(asdict(array)))


def forget(layout: OutputLayout, array: Array) -> None:
    """It has ended, and nobody has to look for it any more."""
    found = written(layout)
    if found is not None and found.name == array.name:
        layout.array.file.unlink(missing_ok=True)


def jobs_of(plan: Plan) -> tuple[str, ...]:
    """The jobs of a plan by the ids of their first attempts, each once, in its order."""
    return tuple(dict.fromkeys(attempt(item.job, 0).job_id for item in plan.to_run))


def _names(folder: Path) -> Iterable[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError:
        return ()


def _numbers(worker: str, array: str) -> tuple[int, int] | None:
    """Rank and restarts of a worker of an array; None of another one."""
    found = re.fullmatch(rf"{PREFIX}{re.escape(array)}_(\d+)(?:\.(\d+))?", worker)
    return None if found is None else (int(found[1]), int(found[2] or 0))
