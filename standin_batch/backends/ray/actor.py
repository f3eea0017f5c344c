"""The actor: a worker's process as Ray starts it. It is given parcels, and asked for news."""

from __future__ import annotations

import contextlib
import logging
import queue
import time
from contextlib import AbstractContextManager, closing
from typing import TypeAlias

from standin_batch.backends.crew.away import away
from standin_batch.backends.crew.freight import Freight
from standin_batch.backends.crew.ground import Ground, shared
from standin_batch.backends.crew.news import Gone, Joined, Made, News, Sent, Told
from standin_batch.backends.crew.orders import Orders
from standin_batch.backends.crew.worker import Worker
from standin_batch.errors import StandinError
from standin_batch.plan.plan import Plan
from standin_batch.run.failure import kind_of
from standin_batch.run.journal import Journal
from standin_batch.run.outcomes import RunEnded
from standin_batch.run.stopping import Stop

logger = logging.getLogger(__name__)

Parcel: TypeAlias = "tuple[Plan, tuple[str, ...], Freight]"
"""What is to be made, texts of what may follow, and what has to be there for it."""

LOOK = 0.5
"""Seconds between two looks at the clips that are being written, while nothing is to be made."""

MOST_NEWS = 1_000
"""That are told at once."""

GATHERED = 0.2
"""Seconds in which events are gathered before they are told: of quick steps there may be hundreds in one. That a parcel
is made is told at once."""

PATIENCE = 5.0
"""Seconds that a question for news waits for some: then an answer without any says that the worker is alive."""


class Actor:
    """One worker. Ray calls `work` once, and the others beside it, in threads of their own.

    Args:
        name: of the worker.
        orders: of the run.
    """

    def __init__(self, name: str, orders: Orders) -> None:
        self._name, self._orders = name, orders
        self._stop = Stop()
        self._news: queue.Queue[News] = queue.Queue()
        self._parcels: queue.Queue[Parcel | None] = queue.Queue()

    def work(self) -> None:
        """Make parcels until there are no more, or the run is to stop."""
        try:
            with self._ground() as ground:
                self._work(ground)
            gone = Gone("")
        except KeyboardInterrupt:
            gone = Gone(self._stop.reason)
        except RunEnded as ended:
            gone = Gone(ended.told or ended.why, ended.why)
        except Exception as error:
            logger.exception("the worker %s has failed", self._name)
            hint = error.hint if isinstance(error, StandinError) else ""
            gone = Gone(str(error) or type(error).__name__, kind_of(error).value, hint)
        self._news.put(gone)

    def _ground(self) -> AbstractContextManager[Ground]:
        import ray

        orders, send = self._orders, self._news.put
        if orders.folder is None:
            return away(orders, self._name, send, ray.get)
        return shared(orders, orders.folder, self._name, send)

    def _work(self, ground: Ground) -> None:
        with (
            closing(Journal(ground.journal, worker=self._name)) as journal,
            Worker(ground.orders, ground.layout, journal, ground.tell, self._stop) as worker,
        ):
            self._news.put(Joined(worker.host, worker.device))
            while (parcel := self._next(worker)) is not None:
                plan, ahead, freight = parcel
                worker.make(ground.unpack(plan, freight), ahead)
                self._news.put(Made(worker.out_of_time))

    def _next(self, worker: Worker) -> Parcel | None:
        """The next parcel; None where none follows. A fault of clips that are being written ends the waiting."""
        while True:
            worker.check()
            with contextlib.suppress(queue.Empty):
                return self._parcels.get(timeout=LOOK)

    def give(self, plan: Plan, ahead: tuple[str, ...], freight: Freight) -> None:
        """A parcel is to be made."""
        self._parcels.put((plan, ahead, freight))

    def stop(self, reason: str) -> None:
        """Nothing more follows; with a reason, what is at work is saved and left."""
        if reason:
            self._stop.request(reason)
        self._parcels.put(None)

    def news(self) -> list[News]:
        """What has happened since the last question; after a while of nothing, nothing."""
        found: list[News] = []
        with contextlib.suppress(queue.Empty):
            found.append(self._news.get(timeout=PATIENCE))
            until = time.monotonic() + GATHERED
            while len(found) < MOST_NEWS and isinstance(found[-1], (Told, Sent)):
                found.append(self._news.get(timeout=max(0.0, until - time.monotonic())))
        return found
