"""The task: what Slurm starts on a node. It makes a shard, and goes on with it each time that Slurm starts it again.

Slurm's warning (USR2, some time before the limit of time) and its SIGTERM (cancelled, requeued, preempted) both save
the clip at work at its next step. After a warning the task has itself requeued; after SIGTERM it only ends, as Slurm
starts it again by itself where that is meant. What comes after the first of them is the same wish once more: a driver
that stops its array writes a file and has SIGTERM follow, Slurm sends SIGTERM when the limit comes after its warning.
"""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from standin_batch.backends.crew.news import DIED, Gone, Joined, Made, News, Told
from standin_batch.backends.crew.news_lines import telling, told_before
from standin_batch.backends.crew.orders import Orders
from standin_batch.backends.crew.worker import Worker
from standin_batch.backends.slurm.array import events_file, worker_name, workers_of
from standin_batch.backends.slurm.client import ask_slurm
from standin_batch.backends.slurm.succession import is_followed, let_go
from standin_batch.backends.slurm.taken_up import still_to_do, unscored
from standin_batch.backends.unscored import score_made
from standin_batch.errors import StandinError
from standin_batch.files import write_atomic
from standin_batch.locks.holder import myself
from standin_batch.output.layout import OutputLayout, WorkerLayout
from standin_batch.plan.plan import Plan
from standin_batch.run.events import Event, Listener
from standin_batch.run.failure import kind_of
from standin_batch.run.journal import Journal
from standin_batch.run.log import log_to
from standin_batch.run.outcomes import RunEnded
from standin_batch.run.posts import at_post
from standin_batch.run.stop_request import StopRequest, asked
from standin_batch.run.stopping import Stop, Stopped, listening
from standin_batch.run.watch import watching

WARNING = "USR2"
"""The signal that Slurm sends some time before the limit (`signal_before` of the machine file)."""

STOPPED = "stopped"
"""The kind of the end of a worker that was to stop."""


@dataclass(frozen=True)
class ShardTask:
    """Makes a shard. It travels to its node as a pickle.

    Attributes:
        rank: of the shard.
        shard: its jobs.
        orders: the file of what all workers are told, as a pickle: it may be large, and they are many.
        max_requeues: how often Slurm has to start it again at most.
    """

    rank: int
    shard: Plan
    orders: Path
    max_requeues: int

    def __call__(self) -> None:
        """Make what is left of it; what became of that stands in the events of the worker."""
        orders: Orders = pickle.loads(self.orders.read_bytes())
        assert orders.folder is not None, "workers of Slurm write into the folder itself"
        os.chdir(orders.directory)
        place, stop = _Place(OutputLayout(orders.folder), self.rank), Stop(by_signals=False)
        if place.is_unwanted:
            return
        with listening(stop), _warned(stop) as warning:
            _worked(self.shard, orders, place, stop)
        if warning.came and not (place.is_unwanted or place.is_followed) and place.restarts < self.max_requeues:
            requeue()


@dataclass(frozen=True)
class _Place:
    """Where in an array, and in which output folder, this process is at work.

    Attributes:
        layout: of the output folder.
        rank: in the array.
        array: its id.
        restarts: how often Slurm has started the task again.
    """

    layout: OutputLayout
    rank: int
    array: str = field(default_factory=lambda: os.environ.get("SLURM_ARRAY_JOB_ID") or os.environ["SLURM_JOB_ID"])
    restarts: int = field(default_factory=lambda: int(os.environ.get("SLURM_RESTART_COUNT", "0")))

    @property
    def worker(self) -> str:
        """What this worker is called."""
        return worker_name(self.array, self.rank, self.restarts)

    @property
    def is_unwanted(self) -> bool:
        """Whether the whole array is to stop."""
        return self.layout.array.stop.exists()

    @property
    def is_followed(self) -> bool:
        """Whether Slurm has started this task elsewhere meanwhile."""
        return is_followed(self.layout, self.array, self.rank, self.restarts)

    def told_before(self) -> Iterator[News]:
        """What the workers have told that had the shard before."""
        for worker in workers_of(self.layout, self.array, self.rank):
            yield from told_before(events_file(self.layout, worker))


def _worked(shard: Plan, orders: Orders, place: _Place, stop: Stop) -> None:
    """Make what is left of a shard, and tell how that ended."""
    tell = telling(events_file(place.layout, place.worker))
    with at_post(place.layout, place.worker) as post, watching(stop, lambda: _wished(post, place), lambda _: None):
        log_to(post.log)
        try:
            if place.is_unwanted:  # asked since it began, by somebody who did not see it at its post yet
                raise Stopped("standin stop")
            let_go(place.layout, place.array, place.rank, place.restarts, stop.wait)
            left = _left(shard, orders, place, lambda event: tell(Told(event)))
            with closing(Journal(place.layout.journals, worker=place.worker, device=orders.device)) as journal:
                _made(left, orders, place.layout, journal, tell, stop)
        except KeyboardInterrupt as stopped:
            tell(Gone(stop.reason or str(stopped), STOPPED))
        except RunEnded as ended:
            tell(Gone(ended.told or ended.why, ended.why))
        except StandinError as error:
            tell(Gone(error.message, kind_of(error).value, error.hint))
        except Exception as error:
            tell(Gone(f"{type(error).__name__}: {error}", DIED))
            raise
        else:
            with suppress(OSError):
                write_atomic(place.layout.array.done(place.rank), "")
            tell(Gone(""))


def _left(shard: Plan, orders: Orders, place: _Place, emit: Listener) -> Plan:
    """What is still to do of a shard, with all looked at that a worker before has made."""
    if place.restarts:
        late = unscored(shard, place.layout, orders.scores.enabled)
        score_made(late, place.layout, orders.scores.frames, orders.checkpoints, emit)
    return still_to_do(shard, place.layout, place.told_before(), orders.empty)


def _made(
    left: Plan, orders: Orders, layout: OutputLayout, journal: Journal, tell: Callable[[News], None], stop: Stop
) -> None:
    def emit(event: Event) -> None:
        tell(Told(event))

    with Worker(orders, layout, journal, emit, stop) as worker:
        tell(Joined(worker.host, worker.device))
        worker.make(left)
    tell(Made(worker.out_of_time))


def _wished(post: WorkerLayout, place: _Place) -> StopRequest | None:
    """What somebody asks this worker for, or its whole array: who asks one asks all, those that still wait, too.

    Also whom Slurm has replaced, as it took its node for lost, is to leave.
    """
    found = asked(post)
    if found is not None and not place.is_unwanted:
        with suppress(OSError):
            write_atomic(place.layout.array.stop, "")
    if found is None and (place.is_unwanted or place.is_followed):
        me = myself()
        return StopRequest(me.host, me.pid, me.born, me.boot)
    return found


@dataclass
class _Warning:
    """Whether Slurm's warning came."""

    came: bool = False


@contextmanager
def _warned(stop: Stop) -> Iterator[_Warning]:
    """Within the block, the warning stops what is at work, once."""
    warning, number = _Warning(), getattr(signal, f"SIG{WARNING}")

    def hear(_number: int, _frame: FrameType | None) -> None:
        first, warning.came = not warning.came, True
        if first and not stop.requested:
            stop.heard(f"Slurm's {WARNING}")

    before = signal.signal(number, hear)
    try:
        yield warning
    finally:
        signal.signal(number, before)


def requeue() -> None:
    """Have Slurm start this task again, with what it was submitted with; it ends this one for that.

    Raises:
        SlurmError: if Slurm does not.
    """
    ask_slurm("scontrol", "requeue", os.environ["SLURM_JOB_ID"])
