"""The maker: takes jobs through a loaded engine, saves them on the way, and does what the policy says of failures."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from traceback import clear_frames
from typing import TYPE_CHECKING

from standin_batch.job import Job
from standin_batch.plan.memory import Profile
from standin_batch.plan.state import State, state_of
from standin_batch.run.deadline import Deadline
from standin_batch.run.events import JobStep, Listener, Warned
from standin_batch.run.failure import (
    SEEDED,
    Again,
    ConstantVideoError,
    EndRun,
    FailureKind,
    NotANumberError,
    WithLess,
    decide,
    is_lasting,
    kind_of,
)
from standin_batch.run.job_queue import JobQueue, Turn
from standin_batch.run.keeper import ATTENTION, Keeper
from standin_batch.run.ladder import Ladder
from standin_batch.run.log import about
from standin_batch.run.outcomes import Outcomes, RunEnded
from standin_batch.run.room import Room
from standin_batch.run.saved import Saved
from standin_batch.run.stopping import Stop
from standin_batch.run.subjects import Subjects

if TYPE_CHECKING:
    import numpy as np

    from standin_batch.engine.clock import Clock
    from standin_batch.engine.denoise import OnStep
    from standin_batch.engine.engine import Clip, Denoised, Engine, Work

logger = logging.getLogger(__name__)

NOTHING = 2
"""Of 255: frames whose values differ by no more, in all pixels of all frames, show nothing."""


@dataclass
class Maker:
    """One engine at work.

    Attributes:
        engine: loaded.
        queue: of its jobs.
        subjects: of its jobs.
        keeper: saves what is on its way.
        outcomes: is told what becomes of jobs.
        ladder: knows memory profiles.
        room: on the disk.
        stop: is looked at between steps.
        deadline: of the run; None without one.
        emit: is told of steps.
        hand_over: takes a finished clip, with the memory profile that it was made with.
        gave_up: is told of a job whose video shows nothing: another attempt of it may follow.
        check: raises if the run has ended elsewhere.
    """

    engine: Engine
    queue: JobQueue
    subjects: Subjects
    keeper: Keeper
    outcomes: Outcomes
    ladder: Ladder
    room: Room
    stop: Stop
    deadline: Deadline | None
    emit: Listener
    hand_over: Callable[[Turn, Clip, str], None]
    gave_up: Callable[[Job], None]
    check: Callable[[], None]
    _now: Work | Denoised | None = field(default=None, init=False)
    _state: State | None = field(default=None, init=False)

    def together(self, turns: Sequence[Turn]) -> None:
        """Take jobs through one expert, then through the next: the experts change places once for all of them.

        Raises:
            Stopped: when the run is to stop; what is on its way is saved.
            RunEnded: when no further job would fare better.
        """
        works = [(turn, work) for turn in turns if (work := self._begun(turn)) is not None]
        for expert in self.engine.experts:
            works = [(turn, work) for turn, work in works if self._through(turn, work, expert)]

    def _begun(self, turn: Turn) -> Work | None:
        """A job that is to be denoised; None if there is nothing to denoise, or it failed."""
        with self._own(turn):
            self.stop.check()
            self.check()
            saved = self.keeper.known(turn.job, self.engine.kernel(turn.job))
            if not self._is_worth(turn.job, saved):
                return None
            self.room.check(turn.job)
            self.outcomes.begins(turn, 0 if saved is None else saved.step)
            self._state = state_of(turn.job)
            if saved is not None and saved.step == saved.steps:
                self._take_up(turn, saved)
                return None
            return self._work(turn.job, saved)
        return None

    def _is_worth(self, job: Job, saved: Saved | None) -> bool:
        done = 0.0 if saved is None else saved.step / saved.steps
        before = self._state or state_of(job)  # the weights are loaded by now
        if self.deadline is None or self.deadline.is_worth(job, before, time.monotonic(), done):
            return True
        self.outcomes.tally.out_of_time = True
        return False

    def _work(self, job: Job, saved: Saved | None) -> Work:
        """A job between two steps: before its first, or where it was saved."""
        with self.stop.at_once():
            work = self._now = self.engine.begin(job, self.subjects, self._clock(saved))
        if saved is not None:
            work.denoising.restore(saved.latents, saved.step, saved.report)
        if self.engine.takes_turns:
            self.engine.set_aside(work)
        self.keeper.begins(job, work.denoising.step)
        return work

    def _clock(self, saved: Saved | None) -> Clock | None:
        from standin_batch.engine.clock import Clock

        return None if saved is None else Clock(self.engine.device, saved.seconds, saved.peak_memory)

    def _take_up(self, turn: Turn, saved: Saved) -> None:
        """A job whose latents are done, or even its frames."""
        from standin_batch.engine.engine import Clip, Denoised

        clock, known = self._clock(saved), (saved.report, saved.warnings, saved.made_by[ATTENTION])
        if saved.frames is None and clock is not None:
            self._decode(turn, Denoised(turn.job, saved.latents, clock, *known))
        elif saved.frames is not None:
            clip = Clip(saved.frames, saved.latents, dict(saved.seconds), saved.peak_memory, *known)
            self.hand_over(turn, clip, saved.memory)

    def _through(self, turn: Turn, work: Work, expert: int) -> bool:
        """Take one job through an expert; whether it goes on to another."""
        from standin_batch.engine.engine import Denoised

        with self._own(turn):
            self._now = work
            self.stop.check()
            self.engine.denoise(work, expert, self._on_step(turn.job, work))
            if expert != self.engine.experts[-1]:
                if self.engine.takes_turns:
                    self.engine.set_aside(work)
                    self.keeper.save_work(work, self._memory)
                return True
            denoised = Denoised.of(work)
            self.keeper.save_denoised(denoised, self._memory)
            self._decode(turn, denoised)
        return False

    def _on_step(self, job: Job, work: Work) -> OnStep:
        last: float | None = None

        def on_step(step: int, steps: int) -> None:
            nonlocal last
            now = time.monotonic()
            # Before the first step weights were moved: how long it takes itself is not known.
            taken, last = 0.0 if last is None else now - last, now
            self.emit(JobStep(job.job_id, step, steps))
            if step < steps and (self.stop.is_near(taken) or self.keeper.is_due(job, step)):
                self.keeper.save_work(work, self._memory)
                self.stop.check()
            self.check()

        return on_step

    @property
    def _memory(self) -> str:
        return self.engine.placement.profile.value

    def _decode(self, turn: Turn, denoised: Denoised) -> None:
        self._now = denoised
        with self.stop.at_once():
            clip = self.engine.decode(denoised)
        _check(clip.frames)
        for warning in clip.warnings:
            self.emit(Warned(f"{turn.job.label}: {warning}"))
        self.hand_over(turn, clip, self._memory)

    @contextmanager
    def _own(self, turn: Turn) -> Iterator[None]:
        """An error within is the job's own, and the policy says what is done about it."""
        try:
            with about(turn.job):
                yield
        except RunEnded:
            raise
        except Exception as error:
            self._failed(turn, error)
        finally:
            self._now = None

    def _failed(self, turn: Turn, error: Exception) -> None:
        kind = kind_of(error)
        less = self.engine.profile_below(self._now, error) if kind is FailureKind.OUT_OF_MEMORY else None
        decision = decide(kind, turn.attempt, turn.job.retries, can_take_less=less is not None)
        if isinstance(decision, WithLess) and less is not None:
            self._go_down(turn, error, less)
        elif isinstance(decision, Again):
            self.outcomes.is_requeued(turn, error, kind, decision.after)
            self.queue.put_back(turn.again(decision.after))
        else:
            self._give_up(turn, error, kind)
            if isinstance(decision, EndRun):
                raise RunEnded(kind.value) from error

    def _give_up(self, turn: Turn, error: Exception, kind: FailureKind) -> None:
        if is_lasting(kind.value):
            self.keeper.forget(turn.job)
        self.outcomes.has_failed(turn, error, kind)
        if kind in SEEDED:
            self.gave_up(turn.job)

    def _go_down(self, turn: Turn, error: Exception, less: Profile) -> None:
        """Have a job go on with less on the device, from where it is."""
        self.ladder.learn(turn.job, less)
        self.outcomes.is_requeued(turn, error, FailureKind.OUT_OF_MEMORY, 0.0, less.value)
        # What was computed when memory ran out hangs on the error, and would leave none for what follows.
        clear_frames(error.__traceback__)
        self.engine.forget()
        try:
            self._save_what_there_is()
        except NotANumberError as spoilt:
            self._give_up(turn, spoilt, FailureKind.NOT_A_NUMBER)
            return
        except Exception:
            logger.warning("%s could not be saved, and begins where it was saved last", turn.job.label, exc_info=True)
        self.queue.put_first([turn])

    def _save_what_there_is(self) -> None:
        from standin_batch.engine.engine import Work

        if isinstance(self._now, Work) and self._now.denoising.step:
            self.keeper.save_work(self._now, self._memory)


def _check(frames: np.ndarray) -> None:
    """Whether a video shows anything.

    Raises:
        ConstantVideoError: if it does not.
    """
    lowest, highest = int(frames.min()), int(frames.max())
    if highest - lowest <= NOTHING:
        told = "black" if highest <= NOTHING else f"of one colour (all values are {lowest} to {highest})"
        raise ConstantVideoError(
            f"all {len(frames)} frames are {told}", "try another seed, dtype: float32, or a LoRA with a lower scale"
        )
