"""What a plan needs before any work starts: modes that can run, and files that are there or made here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from standin_batch.errors import UsageError
from standin_batch.job import Job
from standin_batch.modes import MODES
from standin_batch.plan.plan import Group, Plan
from standin_batch.run.events import Listener, Prepared, Preparing
from standin_batch.weights.locate import ModelFiles, is_made_here, locate, root_of
from standin_batch.weights.registry import ROWS


def check_built(plan: Plan) -> None:
    """Refuse what can be planned but not run by this version, all of it at once.

    Raises:
        UsageError: naming each such thing and the jobs that have it.
    """
    found: dict[str, list[str]] = {}
    for planned in plan.to_run:
        for what in _not_built(planned.job):
            names = found.setdefault(what, [])
            if planned.job.name not in names:
                names.append(planned.job.name)
    if found:
        listed = "; ".join(f"{what} (in {', '.join(names)})" for what, names in found.items())
        raise UsageError(
            f"this version can validate and plan these, not run them: {listed}",
            "leave the other jobs in with --only NAME, or take these out of the manifest",
        )


def _not_built(job: Job) -> Iterator[str]:
    if MODES[job.mode].inputs is None:
        yield f"mode {job.mode}"
    if job.loras:
        yield "loras"
    if job.accept:
        yield "accept"


def find_weights(plan: Plan, checkpoints: Path | None, emit: Listener) -> dict[str, ModelFiles]:
    """The files of each model in `plan`; what is made on this machine is made now.

    Raises:
        WeightsMissing: naming what is missing and where it was looked for.
    """
    for model in {group.model for group in plan.groups}:
        if is_made_here(ROWS[model], checkpoints):
            _make_tiny(root_of(ROWS[model], checkpoints), emit)
    found = {group.model: locate(ROWS[group.model], checkpoints) for group in plan.groups}
    for group in plan.groups:
        _check_parts(group, found[group.model])
    return found


def check_weights(plan: Plan, checkpoints: Path | None) -> None:
    """Look for the files of each model in `plan` without making any.

    Raises:
        WeightsMissing: naming what is missing and where it was looked for.
    """
    for group in plan.groups:
        if not is_made_here(ROWS[group.model], checkpoints):
            _check_parts(group, locate(ROWS[group.model], checkpoints))


def _check_parts(group: Group, files: ModelFiles) -> None:
    kinds = {planned.job.subject.kind for planned in group.jobs if planned.job.subject is not None}
    if kinds:
        files.adapters()
    if "face" in kinds:
        from standin_batch.face.detect import require_models
        from standin_batch.face.parse import require_parser

        require_models(files.detector)
        require_parser(files.parser)


def _make_tiny(root: Path, emit: Listener) -> None:
    from standin_batch.weights.tiny import ensure_tiny, is_current

    if is_current(root):
        return
    what = f"making the tiny model in {root}"
    emit(Preparing(what))
    start = time.monotonic()
    ensure_tiny(root)
    emit(Prepared(what, time.monotonic() - start))
