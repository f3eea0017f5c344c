"""What a plan needs before any work starts: weights that are there or made here, and LoRAs that fit them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from standin_batch.errors import NotReadyError
from standin_batch.modes import MODES
from standin_batch.plan.plan import Plan
from standin_batch.run.events import Listener
from standin_batch.run.lora_check import check_loras
from standin_batch.run.preparing import preparing
from standin_batch.run.scoring import asks_for_face
from standin_batch.run.weight_needs import uses_of
from standin_batch.weights.locate import ModelFiles, is_made_here, locate, root_of
from standin_batch.weights.needs import Use
from standin_batch.weights.registry import ROWS
from standin_batch.weights.verify import verify_model


class WeightsBroken(NotReadyError):
    """Weights that are there, but not what they should be."""


Base = tuple[str, str]
"""Base weights: row of the registry, and their content."""


def find_weights(plan: Plan, checkpoints: Path | None, emit: Listener) -> Mapping[Base, ModelFiles]:
    """The files of each base in `plan` and of what works beside it; what is made on this machine is made now.

    Raises:
        NotReadyError: naming what is missing and where it was looked for, or which LoRA does not fit.
    """
    make_here({group.model for group in plan.groups}, checkpoints, emit)
    return _checked(plan, checkpoints, emit)


def make_here(models: Collection[str], checkpoints: Path | None, emit: Listener) -> None:
    """Make those of `models` that are made on this machine, unless they are there."""
    for model in models:
        if is_made_here(ROWS[model], checkpoints):
            _make_tiny(root_of(ROWS[model], checkpoints), emit)


def _checked(plan: Plan, checkpoints: Path | None, emit: Listener) -> dict[Base, ModelFiles]:
    found = {
        (model, base): locate(ROWS[model], checkpoints, modules) for (model, base), modules in plan.modules.items()
    }
    for group in plan.groups:
        files, jobs = found[group.model, group.base], [planned.job for planned in group.jobs]
        tells_apart = any(MODES[job.mode].reads_faces(job.params) or asks_for_face(job) for job in jobs)
        for use in uses_of(jobs):
            _check_parts(use, files, tells_apart)
            _check_sound(use, files)
    check_loras(plan, found, emit)
    return found


def _check_parts(use: Use, files: ModelFiles, tells_people_apart: bool) -> None:
    if use.adapters:
        files.adapters()
    if use.faces:
        from standin_batch.face.detect import require_embedder, require_models
        from standin_batch.face.parse import require_parser

        require_models(files.detector)
        require_parser(files.parser)
        if tells_people_apart:
            require_embedder(files.detector)


def _check_sound(use: Use, files: ModelFiles) -> None:
    """What the headers of the files tell, in seconds: a broken one must not be found when half is on the GPU."""
    faults = verify_model(files, use.row, faces=use.faces)
    if faults:
        told = "; ".join(f"{fault.path} {fault.message}" for fault in faults)
        raise WeightsBroken(told, faults[0].cure)


def _make_tiny(root: Path, emit: Listener) -> None:
    from standin_batch.weights.tiny import ensure_tiny, is_current

    if is_current(root):
        return
    with preparing(emit, f"making the tiny model in {root}"):
        ensure_tiny(root)
