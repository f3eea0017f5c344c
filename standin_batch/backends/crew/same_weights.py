"""Whether the weights of a worker are those that were planned with, where its paths say nothing about that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from standin_batch.digests import DigestCache
from standin_batch.errors import NotReadyError
from standin_batch.job import Job
from standin_batch.modes import MODES
from standin_batch.plan.plan import Plan
from standin_batch.run.events import Listener
from standin_batch.run.preparing import preparing
from standin_batch.run.ready import Base
from standin_batch.weights.content import ADAPTER, BASE, EMBEDDER, FACE, MISSING, weight_digests
from standin_batch.weights.locate import ModelFiles
from standin_batch.weights.registry import ROWS


class OtherWeightsError(NotReadyError):
    """The weights of this machine are not those of the plan."""


def check_same(plan: Plan, files: Mapping[Base, ModelFiles], checkpoints: Path | None, emit: Listener) -> None:
    """Compare the content of weights here with what jobs say; what is read for it is remembered.

    What was not there when the jobs were planned is not compared.

    Args:
        plan: whose weights are compared.
        files: of each base, as they were found here.
        checkpoints: the folder in place of each model's own.
        emit: is told that it takes a while.

    Raises:
        OtherWeightsError: naming what differs.
    """
    cache = DigestCache.default()
    with preparing(emit, "comparing the weights with the driver's"):
        for group in plan.groups:
            modules = tuple(dict.fromkeys(name for item in group.jobs for name in MODES[item.job.mode].modules))
            here = weight_digests(ROWS[group.model], checkpoints, cache, modules)
            for item in group.jobs:
                _check(item.job, here, files[group.model, group.base])


def _check(job: Job, here: Mapping[str, str], files: ModelFiles) -> None:
    for part, planned in job.weights.items():
        if not planned.startswith(MISSING) and here.get(part) != planned:
            told = f"{job.model}: {_named(part, files)} here is not what the driver has for `{part}`"
            raise OtherWeightsError(told, "put the driver's files there; `standin weights list` shows both machines'")


def _named(part: str, files: ModelFiles) -> Path:
    """The file of a part, or the folder of several."""
    paths = {BASE: files.base, ADAPTER: files.adapters, FACE: files.face_models, EMBEDDER: files.embedders}
    found = paths[part]() if part in paths else files.modules[part]
    return found[0] if len(found) == 1 else found[0].parent if found else files.root
