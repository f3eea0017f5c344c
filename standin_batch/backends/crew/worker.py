"""A worker: one process with one device, which makes the parcels of jobs that it is given."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType

from standin_batch import __version__
from standin_batch.backends.crew.orders import Orders
from standin_batch.backends.crew.same_weights import check_same
from standin_batch.backends.device import profile_for, resolve_device
from standin_batch.errors import NotReadyError
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import Store
from standin_batch.plan.plan import Plan
from standin_batch.run.common_texts import CommonTexts
from standin_batch.run.conduct import Desk
from standin_batch.run.deadline import Deadline
from standin_batch.run.events import Listener
from standin_batch.run.executor import Executor, Settings
from standin_batch.run.journal import Journal
from standin_batch.run.keeper import Every
from standin_batch.run.measured import Measured, device_of
from standin_batch.run.ready import find_weights
from standin_batch.run.room import Room
from standin_batch.run.speed_ready import check_speed
from standin_batch.run.staging import staged_files
from standin_batch.run.stopping import Stop
from standin_batch.run.tally import Tally
from standin_batch.weights.locate import ModelFiles


class Worker:
    """Makes parcels of jobs. Within it as a context; leaving it waits until all is written.

    Args:
        orders: of the run.
        layout: of the folder that it writes into.
        journal: its own.
        emit: is told what happens.
        stop: is looked at between steps.

    Raises:
        NotReadyError: on entering, if this machine cannot do what is asked for.
    """

    def __init__(self, orders: Orders, layout: OutputLayout, journal: Journal, emit: Listener, stop: Stop) -> None:
        self._orders, self._layout, self._emit, self._stop = orders, layout, emit, stop
        self._tally = Tally()
        store = Store(layout, orders.options)
        self._desk = Desk(
            store=store,
            tally=self._tally,
            journal=journal,
            emit=self._tally.listening(emit),
            stop=stop,
            refresh=lambda: None,
        )
        self._files: dict[tuple[str, str], ModelFiles] = {}

    @property
    def host(self) -> str:
        """Its machine."""
        return socket.gethostname()

    @property
    def device(self) -> str:
        """In its driver's words."""
        return self._executor.device

    @property
    def out_of_time(self) -> bool:
        """Whether jobs were left, as the deadline is near."""
        return self._tally.out_of_time

    def __enter__(self) -> Worker:
        if self._orders.version != __version__:
            told = f"{self.host} has standin-batch {__version__}, and the driver {self._orders.version}"
            raise NotReadyError(told, "install the same version on every node")
        device = resolve_device(self._orders.device)
        check_speed(self._orders.samples, device)
        with ExitStack() as stack:
            self._executor = stack.enter_context(Executor(self._desk, self._settings(device)))
            self._leaving = stack.pop_all()
        self._desk.journal.works_on(self.device)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._leaving.__exit__(kind, error, trace)
        finally:
            self._executor.outcomes.cancel("" if error is None else str(error) or "an error")

    def make(self, plan: Plan, ahead: Sequence[str] = ()) -> None:
        """Make the jobs of a parcel.

        Args:
            plan: of the parcel.
            ahead: texts of the jobs that may follow.

        Raises:
            RunEnded: if no further job would fare better here.
            NotReadyError: if the weights cannot be loaded.
            Stopped: if the run is to stop; what is on its way is saved.
        """
        self._stop.check()
        self._tally.planned.update(item.job.job_id for item in plan.to_run)
        self._executor.groups(plan.groups, ahead)

    def check(self) -> None:
        """Whether all goes well with the clips that are being written.

        Raises:
            RunEnded: if no further one would fare better.
            Stopped: if the run is to stop.
        """
        self._stop.check()
        self._executor.writer.check()

    def _settings(self, device: str) -> Settings:
        orders, here = self._orders, device_of(device)
        profile = profile_for(orders.extents, orders.memory, here)
        costs = replace(Measured.default().costs(here.name), memory=profile)
        late = None if orders.until is None else time.monotonic() + orders.until - time.time()
        return Settings(
            manifest=orders.manifest,
            device=device,
            files=self._found,
            profile=profile,
            every=Every.of(orders.every),
            max_failures=None,
            deadline=None if late is None else Deadline(late, costs),
            room=Room(self._layout.folder, orders.options, orders.bytes_per_pixel),
            scores=orders.scores,
            empty=orders.empty,
            refused=orders.refused,
            goes_on=False,
            common=CommonTexts(self._layout.prompts, orders.common),
        )

    def _found(self, base: tuple[str, str]) -> ModelFiles:
        """The files of a base, on the node's own disk if they are to be there."""
        if base not in self._files:
            with self._stop.at_once():
                plan = self._orders.plan_for(base)
                found = find_weights(plan, self._orders.checkpoints, self._emit)
                if self._orders.folder is None:
                    check_same(plan, found, self._orders.checkpoints, self._emit)
                self._files.update(staged_files(found, self._orders.stage_to, self._emit, plan))
        return self._files[base]
