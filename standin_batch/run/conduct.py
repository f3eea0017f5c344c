"""The frame of a run: it is announced, its jobs are made by whoever does that, and the folder is left in order."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Protocol

from standin_batch.errors import NotReadyError
from standin_batch.output.index import write_index
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import Store, read_record, recorded_ids
from standin_batch.output.summary import summarise
from standin_batch.plan.plan import Plan
from standin_batch.run.events import Listener, Profiled, RunFinished, RunStarted, Summarised, Warned
from standin_batch.run.failure import ENDING, FailureKind, kind_of
from standin_batch.run.journal import Journal
from standin_batch.run.outcomes import RunEnded
from standin_batch.run.profile import FINISH, profile_of, told
from standin_batch.run.showing import Showing
from standin_batch.run.standing import Standing
from standin_batch.run.stop_request import withdrawn
from standin_batch.run.stopping import Stop
from standin_batch.run.tally import Tally
from standin_batch.stopwatch import current, part

logger = logging.getLogger(__name__)

QUICK_INDEX = 2_000
"""Records of which a run that is to stop still writes the index; of more the next run does, or `dataset index`."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What a run is announced with, and how it ends.

    Attributes:
        manifest: name of the manifest.
        standing: says where jobs stand that ask something of their scores.
        estimated: seconds of the whole process; None where that is not known.
        device: of the workers that it is estimated for; empty without workers.
    """

    manifest: str
    standing: Callable[[], Standing] = lambda: Standing(())
    estimated: float | None = None
    device: str = ""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What those who make jobs are given.

    Attributes:
        store: open; where results go.
        tally: counts what `emit` is told.
        journal: of this process.
        emit: is told what happens.
        stop: is looked at between steps.
        refresh: shows what was made so far, if it is time to.
    """

    store: Store
    tally: Tally
    journal: Journal
    emit: Listener
    stop: Stop
    refresh: Callable[[], None]


class Labour(Protocol):
    """Those who make the jobs of a plan."""

    def work(self) -> None:
        """Make them all.

        Raises:
            RunEnded: if no further job would fare better.
            NotReadyError: if the machine is not ready; what was done before is kept.
            Stopped: if the run is to stop.
        """
        ...

    def left(self, why: str) -> None:
        """The work has ended, early if `why` says something: note how far the jobs came that are not done."""
        ...

    def learn(self, profiled: Profiled) -> None:
        """All went well, and as planned: note how long it took."""
        ...


def conduct(
    plan: Plan, store: Store, frame: Frame, emit: Listener, stop: Stop, labour: Callable[[Desk], Labour]
) -> RunFinished:
    """Have every job of `plan` made into an open `store`, and write the index.

    Args:
        plan: what is to be made.
        store: open.
        frame: how it is announced.
        emit: is told what happens.
        stop: is looked at between steps.
        labour: gives those who make the jobs.

    Returns:
        What came of it, also if it ended before its end.

    Raises:
        NotReadyError: if the machine turned out not to be ready; what was done before is kept.
    """
    start = time.monotonic()
    layout, tally = store.layout, Tally({item.job.job_id for item in plan.to_run})
    jobs = len(plan.to_run), len(plan.done)
    emit(RunStarted(frame.manifest, str(layout.folder), *jobs, frame.estimated, frame.device))
    showing = Showing(layout, plan.total)
    with closing(Journal(layout.journals)) as journal:
        desk = Desk(
            store=store, tally=tally, journal=journal, emit=tally.listening(emit), stop=stop, refresh=showing.refresh
        )
        makers, why, fault = _worked(labour, desk, showing)
    with part(FINISH):
        if not stop.requested:
            records = filter(None, (read_record(layout, made) for made in tally.made))
            emit(Summarised(summarise(records, tally.failures)))
        now = frame.standing()
    finished = _finished(plan, tally, stop, time.monotonic() - start, str(layout.folder), why)
    finished = replace(finished, not_accepted=len(now.not_accepted), unscored=len(now.unscored))
    profiled = profile_of(current())
    logger.info(told(profiled))
    emit(profiled)
    if makers is not None and _teaches(plan, finished):
        makers.learn(profiled)
    emit(finished)
    if fault is not None:
        raise fault
    return finished


def _worked(
    labour: Callable[[Desk], Labour], desk: Desk, showing: Showing
) -> tuple[Labour | None, str, NotReadyError | None]:
    """Have the jobs made, and the folder left in order: by whom, why that ended early, and what the machine lacks."""
    makers: Labour | None = None
    why, fault = "", None
    try:
        makers = labour(desk)
        makers.work()
    except KeyboardInterrupt:
        desk.stop.request("nobody reads its output")  # unless there was a reason before
        why = desk.stop.reason
    except RunEnded as ended:
        why = ended.why
        if ended.told:
            desk.emit(Warned(ended.told, "the log has more; run the same command again to go on"))
    except NotReadyError as error:
        why, fault = kind_of(error).value, error
    finally:
        if makers is not None:
            makers.left(why or "an error")
        with part(FINISH):
            why = _wound_up(desk.store.layout, showing, desk.emit, in_haste=desk.stop.requested) or why
    return makers, why, fault


def _teaches(plan: Plan, finished: RunFinished) -> bool:
    """Whether it made just what was planned, from the beginning: then it tells how long the next will take."""
    whole = all(not item.reason.saved for item in plan.to_run) and not finished.why
    return whole and not finished.failed and finished.completed == len(plan.to_run)


def _finished(plan: Plan, tally: Tally, stop: Stop, seconds: float, folder: str, why: str) -> RunFinished:
    remaining = tally.remaining
    stopped = remaining > 0 and (stop.requested or tally.out_of_time)
    if not why and stopped:
        why = stop.reason or "the deadline"
    return RunFinished(
        completed=len(tally.made),
        failed=len(tally.failed),
        remaining=remaining,
        seconds=seconds,
        stopped=stopped,
        folder=folder,
        failed_before=len(plan.failed_before),
        why="" if why == stop.reason and not stopped else why,
        rejected=len(tally.rejected),
    )


def _wound_up(layout: OutputLayout, showing: Showing, emit: Listener, *, in_haste: bool) -> str:
    """Leave the folder as others expect it; why that was not possible, or empty."""
    try:
        withdrawn(layout)
        if in_haste and len(recorded_ids(layout)) > QUICK_INDEX:
            emit(
                Warned(
                    "the index is left as it was", f"the next run writes it, or standin dataset index {layout.folder}"
                )
            )
        else:
            write_index(layout)
            showing.write(running=False)
    except (OSError, NotReadyError) as error:
        kind = kind_of(error)
        emit(Warned(f"the index could not be written: {error}", f"standin dataset index {layout.folder}"))
        return kind.value if kind in ENDING else FailureKind.MACHINE.value
    return ""
