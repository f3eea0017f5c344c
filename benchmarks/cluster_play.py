"""A cluster by a virtual clock: workers take what the real deck gives them, and jobs take other times than told.

What the simulation knows and the deck does not: the true time of each job, and when workers die.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from standin_batch.job import Job
from standin_batch.plan.cost import CostModel
from standin_batch.plan.deck import Deck
from standin_batch.plan.plan import Plan
from standin_batch.plan.state import State, state_of

SAVED = 0.1
"""Share of a job that is made again when its worker dies: what was computed since its latents were saved."""


@dataclass
class World:
    """What is true.

    Args:
        costs: of switches, and what jobs are expected to take.
        jobs: all of them.
        noise: by how much a job may take longer or shorter than expected, as a share; the seed is fixed.
    """

    costs: CostModel
    jobs: Sequence[Job]
    noise: float
    seconds: dict[str, float] = field(default_factory=dict)
    _states: dict[str, State] = field(default_factory=dict)
    _switches: dict[tuple[State | None, State], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        draw = random.Random(len(self.jobs))
        for job in self.jobs:
            expected = self.costs.job_seconds(job) or 0.0
            self.seconds[job.job_id] = expected * draw.uniform(1 - self.noise, 1 + self.noise)
            self._states[job.job_id] = state_of(job)

    def switch(self, before: Job | None, job: Job) -> float:
        """Seconds until `job` can begin after another."""
        key = (None if before is None else self._states[before.job_id], self._states[job.job_id])
        if key[0] == key[1]:
            return 0.0
        if key not in self._switches:
            self._switches[key] = self.costs.switch_seconds(*key)
        return self._switches[key]

    def sequence(self, jobs: Iterable[Job]) -> float:
        """Seconds of one worker that makes jobs one after the other."""
        seconds, before = 0.0, None
        for job in jobs:
            seconds += self.switch(before, job) + self.seconds[job.job_id]
            before = job
        return seconds

    def least(self, workers: int) -> float:
        """What no way of sharing out can beat: all work evenly behind the shortest start, or the longest job."""
        starts = {job.job_id: self.switch(None, job) for job in self.jobs}
        even = sum(self.seconds.values()) / workers + min(starts.values())
        return max(even, max(starts[key] + seconds for key, seconds in self.seconds.items()))


@dataclass(frozen=True)
class Played:
    """How it went.

    Attributes:
        seconds: until the last job was done.
        building: seconds of this machine to make the deck.
        longest: the same of the longest single `take`.
        deaths: how many workers died.
        again: seconds of work that were done twice for it.
    """

    seconds: float
    building: float
    longest: float
    deaths: int = 0
    again: float = 0.0


@dataclass
class _Worker:
    name: str
    dies: float
    before: Job | None = None


class Cluster:
    """So many workers and a deck.

    Args:
        world: what is true.
        plan: what is to run.
        workers: how many there are.
        life: hours that a worker lives on average; None for ever.
        back: seconds until another takes its place.
    """

    def __init__(self, world: World, plan: Plan, workers: int, life: float | None = None, back: float = 120.0) -> None:
        start = time.perf_counter()
        self._deck = Deck(plan, world.costs, workers)
        self._building = time.perf_counter() - start
        self._world, self._life, self._back = world, life, back
        self._draw = random.Random(workers)
        self._left = dict(world.seconds)
        self._clock: list[tuple[float, int, _Worker, tuple[str, ...]]] = []
        self._idle: list[_Worker] = []
        self._names = self._deaths = 0
        self._longest = self._again = self._end = 0.0
        for _ in range(workers):
            self._comes(0.0)

    def play(self) -> Played:
        """Until every job is done."""
        while self._clock and self._deck.left:
            now, _, worker, done = heappop(self._clock)
            if worker.name not in self._deck.workers:
                self._deck.joins(worker.name)
            self._deck.ended(worker.name, done)
            self._end = max(self._end, now) if done else self._end
            if now >= worker.dies:
                self._goes(worker, now)
            else:
                self._takes(worker, now)
        if self._deck.left:
            raise RuntimeError(f"{self._deck.left} jobs were never handed out")
        return Played(self._end, self._building, self._longest, self._deaths, self._again)

    def _comes(self, now: float) -> None:
        self._names += 1
        life = float("inf") if self._life is None else self._draw.expovariate(1 / (3600 * self._life))
        self._push(now, _Worker(str(self._names), now + life), ())

    def _goes(self, worker: _Worker, now: float) -> None:
        self._deaths += 1
        self._deck.leaves(worker.name)
        self._comes(now + self._back)
        for idle in self._idle:
            self._push(now, idle, ())
        self._idle = []

    def _takes(self, worker: _Worker, now: float) -> None:
        start = time.perf_counter()
        parcel = self._deck.take(worker.name)
        self._longest = max(self._longest, time.perf_counter() - start)
        if parcel is None:
            self._idle.append(worker)
            return
        done = []
        for item in parcel.plan.to_run:
            begun = now + self._world.switch(worker.before, item.job)
            now, worker.before = begun + self._left[item.job.job_id], item.job
            if now > worker.dies:
                self._cut(item.job.job_id, worker.dies - begun)
                now = worker.dies
                break
            done.append(item.job.job_id)
        self._push(now, worker, tuple(done))

    def _cut(self, job_id: str, made: float) -> None:
        """A job whose worker dies keeps what it has made, but for what was not saved."""
        lost = min(max(made, 0.0), SAVED * self._world.seconds[job_id])
        self._again += lost
        self._left[job_id] -= max(made, 0.0) - lost

    def _push(self, at: float, worker: _Worker, done: tuple[str, ...]) -> None:
        heappush(self._clock, (at, int(worker.name), worker, done))
