"""The actor: a worker's process as Ray starts it. It is given parcels, and asked for news."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
from contextlib import closing

from standin_batch.backends.crew.news import Gone, Joined, Made, News, Told
from standin_batch.backends.crew.orders import Orders
from standin_batch.backends.crew.worker import Worker
from standin_batch.errors import StandinError
from standin_batch.output.layout import OutputLayout
from standin_batch.plan.plan import Plan
from standin_batch.run.failure import kind_of
from standin_batch.run.journal import Journal
from standin_batch.run.log import log_to
from standin_batch.run.outcomes import RunEnded
from standin_batch.run.posts import at_post
from standin_batch.run.stopping import Stop

logger = logging.getLogger(__name__)

MOST_NEWS = 1_000
"""That are told at once."""

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
        self._parcels: queue.Queue[tuple[Plan, tuple[str, ...]] | None] = queue.Queue()

    def work(self) -> None:
        """Make parcels until there are no more, or the run is to stop."""
        try:
            os.chdir(self._orders.directory)
            self._work(OutputLayout(self._orders.folder or self._orders.directory))
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

    def _work(self, layout: OutputLayout) -> None:
        log_to(layout.worker(self._name).log)
        with (
            at_post(layout, self._name),
            closing(Journal(layout.journals, worker=self._name)) as journal,
            Worker(self._orders, layout, journal, lambda event: self._news.put(Told(event)), self._stop) as worker,
        ):
            self._news.put(Joined(worker.host, worker.device))
            while (parcel := self._parcels.get()) is not None:
                worker.make(*parcel)
                self._news.put(Made(worker.out_of_time))

    def give(self, plan: Plan, ahead: tuple[str, ...]) -> None:
        """A parcel is to be made."""
        self._parcels.put((plan, ahead))

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
            while len(found) < MOST_NEWS:
                found.append(self._news.get_nowait())
        return found
