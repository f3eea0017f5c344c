"""A run in this process, for whoever called `run`: interrupts stop it, listeners hear of it, and no trace is left."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from standin_batch.api.guest import alone, as_guest
from standin_batch.api.planned import PlannedRun, planned
from standin_batch.backends.choose import Backend, choose
from standin_batch.backends.folder import settle
from standin_batch.backends.local import Machine
from standin_batch.durations import seconds_of
from standin_batch.errors import UsageError
from standin_batch.hushed import aloud
from standin_batch.manifest import Manifest
from standin_batch.plan.memory import Profile
from standin_batch.run.events import Event, Listener, RunFinished
from standin_batch.run.stopping import SIGNALS, Stop, Stopped, listening


@dataclass
class Listeners:
    """Whoever wants to know of a run. Events come from several threads; here they come one after the other.

    What listeners print is heard, also while the thread that tells them is in a library that is not to be.

    Attributes:
        stop: of the run, which ends when a listener fails.
        those: the listeners.
        fault: what the first of them raised; then all are told nothing more.
    """

    stop: Stop
    those: list[Listener]
    fault: BaseException | None = None
    _telling: threading.RLock = field(default_factory=threading.RLock)

    def __call__(self, event: Event) -> None:
        """Tell them all."""
        with self._telling:
            if self.fault is not None:
                return
            try:
                with aloud():
                    for listener in self.those:
                        listener(event)
            except Stopped:
                raise
            # Raised here, it would be taken for a fault of the job at work.
            except BaseException as fault:
                self.fault = fault
                self.stop.request("an error in on_event")


def place_of(backend: str | None, config: str | os.PathLike[str] | None, workers: int | None) -> Backend:
    """Where a run happens; the arguments, and what it raises, are those of `api.run`."""
    return choose(backend, None if config is None else Path(config), workers)


def run_here(
    what: PlannedRun | Manifest | str | os.PathLike[str],
    where: Backend,
    device: str,
    memory: str,
    max_failures: int | None,
    max_time: float | str | None,
    wait: bool,
    on_event: Listener | None,
    progress: bool,
) -> RunFinished:
    """Run what is planned; the arguments, and what it returns and raises, are those of `api.run`."""
    machine = _machine(device, memory, max_failures, wait)
    seconds = _seconds(max_time)
    stop = Stop(None if seconds is None else time.monotonic() + seconds, may_leave=False)
    listeners = Listeners(stop, [] if on_event is None else [on_event])
    with alone(), as_guest(), listening(stop):
        with stop.at_once():
            to_do = what if isinstance(what, PlannedRun) else planned(what)
        with _showing(to_do, listeners, progress):
            finished = _run(to_do, where, machine, listeners, stop)
    if listeners.fault is not None:
        raise listeners.fault
    if stop.reason in SIGNALS.values():
        raise Stopped(stop.reason)
    return finished


def _run(what: PlannedRun, where: Backend, machine: Machine, listeners: Listeners, stop: Stop) -> RunFinished:
    plan, folder = what.planned.plan, str(what.folder)
    failed = len(plan.failed_before)
    start = time.monotonic()
    try:
        if plan.to_run or what.planned.unscored:
            return where.run(what.planned, machine, what.checkpoints, listeners, stop)
        finished = settle(what.planned, listeners)
    except Stopped:  # before its first job
        seconds = time.monotonic() - start
        finished = RunFinished(0, 0, len(plan.to_run), seconds, True, folder, failed, stop.reason)
    listeners(finished)
    return finished


@contextmanager
def _showing(what: PlannedRun, listeners: Listeners, progress: bool) -> Iterator[None]:
    """Within the block, events are shown as `standin run` shows them, if at all."""
    if not progress:
        yield
        return
    from standin_batch.cli.progress import reporter
    from standin_batch.cli.run import say

    say(what.planned, quiet=False)
    report = reporter(as_json=False, quiet=False)
    listeners.those.insert(0, report)
    with report.showing():
        yield


def _machine(device: str, memory: str, max_failures: int | None, wait: bool) -> Machine:
    profiles = ["auto", *(profile.value for profile in Profile)]
    if memory not in profiles:
        raise UsageError(f"there is no memory profile {memory!r}", f"use one of {', '.join(profiles)}")
    if max_failures is not None and max_failures < 1:
        raise UsageError(f"max_failures is {max_failures}", "let at least one fail, or leave it out")
    return Machine(device, memory, max_failures, wait, goes_on=True)


def _seconds(length: float | str | None) -> float | None:
    seconds = seconds_of(length) if isinstance(length, str) else length
    if length is not None and not (seconds is not None and seconds > 0):
        raise UsageError(f"max_time: {length!r} is no length of time", 'seconds, or for example "6h" or "90min"')
    return seconds
