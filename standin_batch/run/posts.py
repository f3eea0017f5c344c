"""Posts: where the workers of a crew say in the output folder that they are at work, and are asked to stop.

A worker holds the lock of its post while it is at work, by `locks`: so whether it lives is seen from any machine that
sees the folder, also when the driver that has sent it is gone. What it works on, its journal says.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from standin_batch.locks.heartbeat import Rest
from standin_batch.locks.holder import Holder
from standin_batch.locks.lock import POLL, exclusive, holder
from standin_batch.output.layout import OutputLayout, WorkerLayout
from standin_batch.run.arrays import Submitted, may_begin
from standin_batch.run.lock import LockedError, held
from standin_batch.run.stop_request import withdrawn

NAMED = 3
"""Workers that a message names; of more it tells how many they are."""


@dataclass(frozen=True)
class Post:
    """A worker at work.

    Attributes:
        name: of the worker, as its folder has it.
        holder: its process.
    """

    name: str
    holder: Holder

    def __str__(self) -> str:
        return f"worker {self.name} ({self.holder})"


@contextmanager
def at_post(layout: OutputLayout, name: str) -> Iterator[WorkerLayout]:
    """Within the block this process is the worker of that name, and others see that it is at work.

    Args:
        layout: of the output folder.
        name: of the worker.

    Raises:
        HeldError: if another process is the worker of that name.
        OSError: if the folder cannot be written.
    """
    place = layout.worker(name)
    with exclusive(place.lock, leave=False):
        try:
            yield place
        finally:
            with suppress(OSError):  # a later worker of that name is not meant by the request
                withdrawn(place)


def at_work(layout: OutputLayout) -> tuple[Post, ...]:
    """The workers that are at work in an output folder, by name. On other machines their last sign of life decides."""
    return tuple(Post(path.parent.name, who) for path in _locks(layout) if (who := holder(path)) is not None)


@contextmanager
def alone(
    layout: OutputLayout,
    wait: Callable[[str], object] | None = None,
    rest: Rest = time.sleep,
    patience: float = 0.0,
    *,
    no_array: bool = False,
) -> Iterator[None]:
    """Within the block, this process holds the output folder, and no worker of an earlier driver is at work there.

    Nor is there an array whose tasks may begin meanwhile.

    Args:
        layout: of the output folder.
        wait: is told, in a sentence, who is at work there, and then it is waited for; None to raise instead.
        rest: waits for so many seconds between two looks; what it raises ends the waiting.
        patience: seconds in which workers whose driver is gone may end, before they count.
        no_array: whether a scheduler was asked, and has no array any more for this folder, whatever that says.

    Raises:
        LockedError: naming the process, the workers or the array at work there.
        OSError: if the folder cannot be written.
    """
    with held(layout.lock, wait, rest):
        if not no_array:  # first: one that is over by what its tasks say may be about to leave its posts
            _until_none_may_begin(layout, wait, rest)
        _until_none_is_at_work(layout, wait, rest, patience)
        yield


def _until_none_is_at_work(
    layout: OutputLayout, wait: Callable[[str], object] | None, rest: Rest, patience: float
) -> None:
    waited, told = 0.0, False
    while posts := at_work(layout):
        if waited >= patience and wait is None:
            raise _locked(layout.folder, posts)
        if waited >= patience and wait is not None and not told:
            wait(f"waiting for {listed(posts)}, at work in {layout.folder}")
            told = True
        rest(POLL)
        waited += POLL


def _until_none_may_begin(layout: OutputLayout, wait: Callable[[str], object] | None, rest: Rest) -> None:
    told = False
    while (array := may_begin(layout)) is not None:
        if wait is None:
            raise _queued(layout.folder, array)
        if not told:
            wait(f"waiting for {array}, which may still begin in {layout.folder}")
            told = True
        rest(POLL)


def listed(posts: tuple[Post, ...]) -> str:
    """Workers as people are told of them."""
    shown = ", ".join(map(str, posts[:NAMED]))
    return f"{shown} and {len(posts) - NAMED} more" if len(posts) > NAMED else shown


def _locked(folder: Path, posts: tuple[Post, ...]) -> LockedError:
    name = shlex.quote(str(folder))
    told = f"nobody leads them any more, but workers are at work in {folder}: {listed(posts)}"
    cure = f"end them: standin stop {name}; or wait for them: standin run --wait"
    return LockedError(told, cure, posts[0].holder)


def _queued(folder: Path, array: Submitted) -> LockedError:
    cure = f"the same command that began it goes on with it; or end it: standin stop {shlex.quote(str(folder))}"
    return LockedError(f"nobody leads it any more, but {array} may still begin in {folder}", cure)


def _locks(layout: OutputLayout) -> list[Path]:
    try:
        return [layout.worker(folder.name).lock for folder in sorted(layout.workers.iterdir())]
    except (FileNotFoundError, NotADirectoryError):
        return []
