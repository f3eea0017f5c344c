"""What stays in place from one job to the next, and what has to change hands."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

from standin_batch.job import Job
from standin_batch.modes import MODES
from standin_batch.weights.content import BASE

ModelKey = tuple[str, str]
"""A model as it is timed: row of the registry, and dtype."""


class State(NamedTuple):
    """What has to be in place for a job, the dearest first.

    Attributes:
        model: row of the registry, and dtype.
        base: content of the base weights; a module's checkpoint may hold another base than the row's.
        modules: weights beside the base (`vace`).
        loras: content and scale of each, in order.
        speed: whether the blocks are in 8 bits, and whether they are compiled.
        shape: width, height and frames: what compiled kernels and memory depend on.
        identity: what its keys and values depend on besides the weights; None without one.
    """

    model: ModelKey
    base: str
    modules: tuple[str, ...]
    loras: tuple[Hashable, ...]
    speed: tuple[bool, bool]
    shape: tuple[int, int, int]
    identity: tuple[Hashable, ...] | None


class Switches(NamedTuple):
    """How often something has to change hands in an order of jobs; the first use counts too.

    Attributes:
        models: base weights loaded.
        modules: modules beside them loaded.
        loras: sets of LoRAs put on or taken off.
        speeds: blocks brought to 8 bits or back, or compiled or not.
        shapes: changes of size or length.
        identities: keys and values computed.
        prompts: texts encoded.
    """

    models: int = 0
    modules: int = 0
    loras: int = 0
    speeds: int = 0
    shapes: int = 0
    identities: int = 0
    prompts: int = 0


def state_of(job: Job) -> State:
    """What has to be in place for `job`."""
    return State(
        model=(job.model, job.dtype),
        base=job.weights.get(BASE, ""),
        modules=MODES[job.mode].modules,
        loras=tuple((tuple((key, file.digest) for key, file in lora.files.items()), lora.scale) for lora in job.loras),
        speed=(job.speed.fp8, job.speed.compile),
        shape=(job.width, job.height, job.num_frames),
        identity=None if job.subject is None else (*job.subject.fingerprint().values(), *job.grid),
    )


def switch(before: State | None, after: State) -> Switches:
    """What changes hands between two states. Other base weights begin with nothing in place."""
    same = before if before is not None and (before.model, before.base) == (after.model, after.base) else None
    loras = after.loras != (() if same is None else same.loras)
    speed = (False, False) if same is None else same.speed
    weights = loras or after.speed[0] != speed[0]
    identity = after.identity is not None and (weights or same is None or same.identity != after.identity)
    return Switches(
        models=int(same is None),
        modules=len(set(after.modules) - set(() if same is None else same.modules)),
        loras=int(loras),
        speeds=int(after.speed != speed),
        shapes=int(same is None or same.shape != after.shape),
        identities=int(identity),
    )


def path(jobs: Iterable[Job]) -> Iterator[State]:
    """The states that jobs in this order go through."""
    before: State | None = None
    for job in jobs:
        state = state_of(job)
        if state != before:
            yield state
        before = state


def texts(jobs: Iterable[Job]) -> dict[ModelKey, int]:
    """How many texts each model encodes, negative prompts included: each once, so the order has no part in it.

    The executor forgets the texts that are not in its next window of jobs. With more prompts than a window holds, some
    are encoded again; at 14B that costs 0.01 s each, and is not counted.
    """
    return {model: len(prompts) for model, prompts in different_texts(jobs).items()}


def different_texts(jobs: Iterable[Job]) -> dict[ModelKey, dict[str, None]]:
    """The same texts themselves, in the order of the jobs."""
    found: dict[ModelKey, dict[str, None]] = {}
    for job in jobs:
        found.setdefault((job.model, job.dtype), {}).update(dict.fromkeys(job.texts))
    return found


def count_switches(jobs: Sequence[Job]) -> Switches:
    """What has to change from job to job when they run in this order."""
    counted = [0] * len(Switches._fields)
    before: State | None = None
    for state in path(jobs):
        counted = [total + number for total, number in zip(counted, switch(before, state), strict=True)]
        before = state
    return Switches(*counted)._replace(prompts=sum(texts(jobs).values()))
