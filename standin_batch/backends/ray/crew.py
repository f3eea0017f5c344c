"""A crew of Ray actors: they are started where the cluster has a place, asked for news, and replaced when they die."""

from __future__ import annotations

import itertools
import logging
import os
import secrets
import time
from types import TracebackType
from typing import Any

from standin_batch.backends.crew.depot import Depot
from standin_batch.backends.crew.freight import Freight
from standin_batch.backends.crew.news import DIED, Gone, News, Sent
from standin_batch.backends.crew.orders import Orders
from standin_batch.backends.ray.actor import Actor
from standin_batch.backends.ray.cluster import Cluster
from standin_batch.machine import RayOptions
from standin_batch.plan.plan import Plan
from standin_batch.run.stopping import Stopped

logger = logging.getLogger(__name__)

AT_ONCE = 8
"""Calls that an actor answers beside each other: it works in one of them."""

PASSED_ON = ("OMP_WAIT_POLICY", "CUBLAS_WORKSPACE_CONFIG")
"""Variables of the driver that its workers have, too."""

CACHES = ("STANDIN_CACHE", "XDG_CACHE_HOME", "HF_HOME")
"""The same, where they see the same folders."""

LAST_WORDS = 10.0
"""Seconds that workers have to end in order."""

LOOKS_AGAIN = 2.0
"""Seconds between two looks at how large the cluster is."""


class RayCrew:
    """Workers of one run; a `foreman.Crew`.

    Args:
        orders: of the run.
        options: of the machine file.
        cluster: connected; it is closed when the crew is left.
        depot: the way to workers that do not see the output folder; None where they do.
    """

    advice = "see what the cluster has room for: ray status"

    def __init__(self, orders: Orders, options: RayOptions, cluster: Cluster, depot: Depot | None = None) -> None:
        self._orders, self._options, self._cluster, self._depot = orders, options, cluster, depot
        run = secrets.token_hex(2)  # a worker of an earlier run may still hold its post
        self._names = (f"ray-{run}-{number}" for number in itertools.count(1))
        self._came: set[str] = set()
        self._actors: dict[str, Any] = {}
        self._asked: dict[Any, str] = {}
        self._places = (0.0, 0)

    def __enter__(self) -> RayCrew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import ray

        try:
            if not isinstance(error, KeyboardInterrupt) or isinstance(error, Stopped):
                self._hear_the_last()
        finally:
            for actor in self._actors.values():
                ray.kill(actor)
            self._actors.clear()
            if self._depot is not None:
                self._depot.close()
            self._cluster.close()

    def hire(self, most: int) -> None:
        """Start actors until there is one for each place, or `most`. Those that Ray finds no room for wait for it."""
        for _ in range(min(most, self._wanted()) - len(self._actors)):
            self._start(next(self._names))

    def hear(self, seconds: float) -> list[tuple[str, News]]:
        """What actors tell; that one has died, too."""
        import ray

        if not self._asked:
            time.sleep(seconds)
            return []
        ready, _ = ray.wait(list(self._asked), num_returns=1, timeout=seconds)
        if ready and len(self._asked) > 1:
            ready, _ = ray.wait(list(self._asked), num_returns=len(self._asked), timeout=0)
        return [(name, news) for answer in ready for name, news in self._answered(answer)]

    def give(self, worker: str, plan: Plan, ahead: tuple[str, ...]) -> None:
        """Have an actor make a parcel."""
        freight = Freight() if self._depot is None else self._depot.load(worker, plan)
        self._actors[worker].give.remote(plan, ahead, freight)

    def receive(self, sent: Sent) -> None:
        """Put into the output folder what an actor has sent."""
        if self._depot is not None:
            self._depot.receive(sent)

    def stop(self, reason: str) -> None:
        """Ask all actors to save what they have, and to end."""
        for actor in self._actors.values():
            actor.stop.remote(reason)

    def _hear_the_last(self) -> None:
        """Workers that were asked to end leave their posts, send the rest of their logs, and remove what they had."""
        until = time.monotonic() + LAST_WORDS
        while self._came & self._actors.keys() and time.monotonic() < until:
            for _, news in self.hear(LAST_WORDS):
                if isinstance(news, Sent):
                    self.receive(news)

    def _wanted(self) -> int:
        """As many workers as the machine file allows, or the cluster has places for."""
        if self._options.workers is not None:
            return self._options.workers
        at, places = self._places
        if time.monotonic() - at > LOOKS_AGAIN:
            places = self._cluster.places()
            self._places = (time.monotonic(), places)
        return places

    def _start(self, name: str) -> None:
        import ray

        options = self._options
        actor = (
            ray.remote(Actor)
            .options(
                name=f"standin-{os.getpid()}-{name}",
                num_cpus=options.cpus_per_worker,
                num_gpus=options.gpus_per_worker,
                max_concurrency=AT_ONCE,
                runtime_env={"env_vars": environment(options)},
            )
            .remote(name, self._orders)
        )
        if self._depot is not None:
            self._depot.joins(name)
        actor.work.remote()
        self._actors[name] = actor
        self._ask(name)

    def _ask(self, name: str) -> None:
        self._asked[self._actors[name].news.remote()] = name

    def _answered(self, answer: Any) -> list[tuple[str, News]]:  # noqa: ANN401 - a reference of Ray's
        import ray

        name = self._asked.pop(answer)
        try:
            told: list[News] = ray.get(answer)
            self._came.add(name)
        except ray.exceptions.RayError as error:
            logger.warning("%s has died: %s", name, error)
            told = [Gone("its process, or its node, has died", DIED)]
        if any(isinstance(news, Gone) for news in told):
            ray.kill(self._actors.pop(name))
            if self._depot is not None:
                self._depot.leaves(name)
        else:
            self._ask(name)
        return [(name, news) for news in told]


def environment(options: RayOptions) -> dict[str, str]:
    """What a worker's process has that its node's does not: as many threads as on its own, and this user's caches."""
    names = (*PASSED_ON, *(CACHES if options.shared else ()))
    kept = {name: value for name in names if (value := os.environ.get(name)) is not None}
    return {**kept, "OMP_NUM_THREADS": str(options.omp_threads)}
