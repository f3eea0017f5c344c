"""Whether the LoRAs of a plan fit its models: seen from the headers of their files, before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from standin_batch.errors import NotReadyError
from standin_batch.job import Job
from standin_batch.plan.plan import Plan
from standin_batch.run.events import Listener, Warned
from standin_batch.weights.header import tensor_shapes
from standin_batch.weights.locate import ExpertFiles, ModelFiles
from standin_batch.weights.lora_keys import LoraError, LoraLayout, read_layout
from standin_batch.weights.registry import ROWS, ModelRow

SHOWN_LEFTOVERS = 3


def check_loras(plan: Plan, files: Mapping[tuple[str, str], ModelFiles], emit: Listener) -> None:
    """Look at each LoRA with each transformer that it is for.

    Args:
        plan: what is to run.
        files: of each row and base in it; others are passed over.
        emit: is told of keys that match nothing.

    Raises:
        LoraError: if one is for another model, or cannot be read.
    """
    shapes: dict[Path, Mapping[str, tuple[int, ...]]] = {}
    seen: dict[tuple[Path, Path], None] = {}
    told: dict[Path, None] = {}
    for group in plan.groups:
        model = files.get((group.model, group.base))
        for job, path, expert in _uses(model, (item.job for item in group.jobs)) if model is not None else ():
            shard = expert.shards[0]
            if (path, shard) in seen:
                continue
            seen[path, shard] = None
            if shard not in shapes:
                shapes[shard] = _shapes(expert, ROWS[group.model])
            try:
                layout = read_layout(path, shapes[shard])
            except NotReadyError as error:
                raise LoraError(f"job {job.name}: {error.message}", error.hint) from error
            if layout.leftovers and path not in told:
                told[path] = None
                emit(_leftovers(path, layout))


def _shapes(expert: ExpertFiles, row: ModelRow) -> Mapping[str, tuple[int, ...]]:
    """The transformer's own tensors: the checkpoint of a module may hold both."""
    modules = tuple(module.prefix for module in row.modules.values())
    return {name: shape for name, shape in tensor_shapes(expert.shards).items() if not name.startswith(modules)}


def _uses(model: ModelFiles, jobs: Iterator[Job]) -> Iterator[tuple[Job, Path, ExpertFiles]]:
    for job in jobs:
        for lora in job.loras:
            for expert in model.experts:
                file = lora.file_for(expert.name)
                if file is not None:
                    yield job, file.path, expert


def _leftovers(path: Path, layout: LoraLayout) -> Warned:
    names = ", ".join(layout.leftovers[:SHOWN_LEFTOVERS])
    more = len(layout.leftovers) - SHOWN_LEFTOVERS
    shown = f"{names} and {more:,} more" if more > 0 else names
    return Warned(
        f"{path}: {len(layout.leftovers):,} of its keys match nothing in this model and are left out: {shown}",
        "a LoRA for another kind of Wan (image to video, say) loses what it was trained for",
    )
