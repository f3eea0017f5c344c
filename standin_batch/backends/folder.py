"""The output folder of a run: taken by one process at a time, and left in order where there is nothing to do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from standin_batch.output.index import is_stale, write_index
from standin_batch.output.store import OutputError, Store
from standin_batch.run.events import Listener, RunFinished
from standin_batch.run.judging import write_all_down
from standin_batch.run.lock import LockedError, held
from standin_batch.run.plan_manifest import PlannedManifest
from standin_batch.run.posts import alone, at_work
from standin_batch.run.profile import FINISH, profile_of
from standin_batch.run.saved import forget_done
from standin_batch.run.showing import Showing
from standin_batch.run.stopping import Stop
from standin_batch.stopwatch import current, part


def settle(planned: PlannedManifest, emit: Listener) -> RunFinished:
    """What a run with nothing to do leaves behind: no half-written files, its manifest, and an index that is there.

    Another run at work sees to all that itself.

    Args:
        planned: with nothing to run.
        emit: is told where the time went.
    """
    plan, folder = planned.plan, str(planned.store.layout.folder)
    with current().running():
        with part(FINISH):
            _tidy(planned)
        emit(profile_of(current()))
    return RunFinished(
        0, 0, 0, 0.0, False, folder, failed_before=len(plan.failed_before), not_accepted=len(plan.not_accepted)
    )


def _tidy(planned: PlannedManifest) -> None:
    store, layout = planned.store, planned.store.layout
    if not layout.records.is_dir():
        return
    with contextlib.suppress(LockedError), opened(store), _writable(layout.folder):
        if planned.asks:
            write_all_down(planned.jobs, layout, planned.standing.empty)
        showing = Showing(layout, planned.plan.total)
        if is_stale(layout):
            write_index(layout)
        if showing.is_stale:
            showing.write(running=False)


@contextlib.contextmanager
def opened(
    store: Store,
    wait: Callable[[str], object] | None = None,
    stop: Stop | None = None,
    *,
    beside_workers: bool = False,
    patience: float = 0.0,
    no_array: bool = False,
) -> Iterator[None]:
    """Within the block, the output folder is this process's alone, clean, and knows its manifest.

    Args:
        store: of the folder.
        wait: is told who holds it, and then that is waited for; None to raise instead.
        stop: ends the waiting.
        beside_workers: whether workers may be at work there that go on without their driver; what they have begun to
            write is left alone.
        patience: seconds in which such workers may end, where they may not.
        no_array: whether a scheduler was asked, and has no array any more for this folder.

    Raises:
        LockedError: if another run is at work there, or workers are, or may come to be, and may not.
        OutputError: if it cannot be written.
    """
    with contextlib.ExitStack() as stack:
        with _writable(store.layout.folder):
            layout, rest = store.layout, (stop or Stop()).wait
            stack.enter_context(
                held(layout.lock, wait, rest)
                if beside_workers
                else alone(layout, wait, rest, patience, no_array=no_array)
            )
            store.open(tidy=not (beside_workers and at_work(layout)))
            forget_done(store.layout)
        yield


@contextlib.contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """What an output folder that cannot be written raises, in a user's words."""
    try:
        yield
    except OSError as error:
        where, why = error.filename or folder, error.strerror or error
        cure = "choose another output.folder, or mend this disk"
        raise OutputError(f"{where} cannot be written: {why}", cure) from error
