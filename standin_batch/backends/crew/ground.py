"""Ground: where a worker stands, what it writes into and whom it tells; here of one that sees the output folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from standin_batch.backends.crew.freight import Freight
from standin_batch.backends.crew.news import News, Told
from standin_batch.backends.crew.orders import Orders
from standin_batch.output.layout import OutputLayout
from standin_batch.plan.plan import Plan
from standin_batch.run.events import Event, Listener
from standin_batch.run.journal import Sink
from standin_batch.run.log import log_to
from standin_batch.run.posts import at_post

Send = Callable[[News], object]
"""Tells the driver."""


@dataclass(frozen=True)
class Ground:
    """Where a worker stands.

    Attributes:
        orders: of the run, as they hold on this machine.
        layout: of the folder that it writes into.
        journal: where its own goes.
        tell: takes what happens.
        unpack: gives the plan of a parcel as it can be made here, with what came with it.
    """

    orders: Orders
    layout: OutputLayout
    journal: Path | Sink
    tell: Listener
    unpack: Callable[[Plan, Freight], Plan]


@contextmanager
def shared(orders: Orders, folder: Path, name: str, send: Send) -> Iterator[Ground]:
    """Within the block, the worker of this name is at work in the output folder itself.

    Args:
        orders: of the run.
        folder: of the output.
        name: of the worker.
        send: tells the driver.
    """
    os.chdir(orders.directory)
    layout = OutputLayout(folder)
    log_to(layout.worker(name).log)
    with at_post(layout, name):

        def tell(event: Event) -> None:
            send(Told(event))

        yield Ground(orders, layout, layout.journals, tell, lambda plan, freight: plan)
