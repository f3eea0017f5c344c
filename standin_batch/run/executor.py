"""The executor: makes jobs on one device, group after group.

One job's failure is its own, and what is done is on disk before it is said so. What stays loaded from one group to the
next is kept, so that jobs may come in parcels, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from standin_batch import __version__
from standin_batch.face.checks import Finding
from standin_batch.job import Job
from standin_batch.manifest.manifest import ScoreOptions
from standin_batch.plan.memory import Profile
from standin_batch.plan.plan import Group, Plan
from standin_batch.run.common_texts import CommonTexts
from standin_batch.run.conduct import Desk
from standin_batch.run.deadline import Deadline
from standin_batch.run.engines import Engines
from standin_batch.run.events import Profiled
from standin_batch.run.failure import ENDING, FailureKind, kind_of
from standin_batch.run.job_queue import JobQueue, Turn
from standin_batch.run.keeper import Every, Keeper
from standin_batch.run.keeping import Keeping
from standin_batch.run.ladder import Ladder
from standin_batch.run.log import about
from standin_batch.run.maker import Maker
from standin_batch.run.measured import Measured, device_of
from standin_batch.run.outcomes import Outcomes, RunEnded
from standin_batch.run.preparing import preparing
from standin_batch.run.read_ahead import ReadAhead, files_of
from standin_batch.run.room import Room
from standin_batch.run.scoring import Scoring, video_of
from standin_batch.run.subjects import Subjects
from standin_batch.run.writer import Writer
from standin_batch.scores.table import Scores
from standin_batch.stopwatch import part
from standin_batch.weights.content import BASE
from standin_batch.weights.locate import ModelFiles

if TYPE_CHECKING:
    from standin_batch.engine.engine import Engine

WINDOW = 64
"""Jobs whose prompts are encoded together, before the text encoder leaves the GPU."""

TURN = 8
"""Jobs that go through one expert together where experts take turns. At 14B their two changes of place take seconds and
each clip minutes, so more would save little."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where and how jobs are made.

    Attributes:
        manifest: name of the manifest.
        device: as torch names it.
        files: finds those of a row and base.
        profile: of the memory.
        every: how often the job at work is saved.
        max_failures: failed jobs that end the run; None for no end.
        deadline: of the run; None without one.
        room: on the disk of the output.
        scores: what is looked at in finished videos.
        empty: ids of jobs whose videos show nothing, and would again.
        refused: what preflight objects to so much that a job is not made, by its id.
        goes_on: whether the process goes on after the run, and has to have the memory back.
        common: what other processes encode, too; None for a run that is alone.
    """

    manifest: str
    device: str
    files: Callable[[tuple[str, str]], ModelFiles]
    profile: Profile
    every: Every
    max_failures: int | None
    deadline: Deadline | None
    room: Room
    scores: ScoreOptions
    empty: frozenset[str] = frozenset()
    refused: Mapping[str, Finding] = field(default_factory=dict)
    goes_on: bool = True
    common: CommonTexts | None = None


class Executor:
    """Makes jobs on one device.

    Within it as a context, groups can be given to it again and again; leaving it waits until all is written.

    Args:
        desk: where results go, and who is told.
        settings: where and how.
    """

    def __init__(self, desk: Desk, settings: Settings) -> None:
        self.desk, self.settings = desk, settings
        layout, self.device = desk.store.layout, device_of(settings.device).name
        self.measured, self.versions = Measured.default(), _versions()
        self.outcomes = Outcomes(
            layout, desk.journal, desk.tally, desk.emit, settings.max_failures, empty=set(settings.empty)
        )
        made_by = {**self.versions, "device": self.device}
        self.keeper = Keeper(layout, settings.every, made_by, desk.emit)
        self.keeping = self._keeping()
        self.ladder = Ladder(settings.profile)
        self.engines = Engines(
            device=settings.device,
            device_name=self.device,
            ladder=self.ladder,
            measured=self.measured,
            stop=desk.stop,
            emit=desk.emit,
            common=settings.common,
        )
        self._subjects: dict[tuple[str, str], Subjects] = {}
        self._texts_ahead: Sequence[str] = ()

    def _keeping(self) -> Keeping:
        return Keeping(
            store=self.desk.store,
            outcomes=self.outcomes,
            keeper=self.keeper,
            stop=self.desk.stop,
            measured=self.measured,
            score=self._score(),
            refresh=self.desk.refresh,
            manifest=self.settings.manifest,
            device=self.settings.device,
            device_name=self.device,
            versions=self.versions,
        )

    def _score(self) -> Callable[[Job, Path], Scores]:
        """Scores the video of a job, if anybody wants to know."""
        options, files = self.settings.scores, self.settings.files
        scoring = Scoring(self.desk.store.layout, options.frames, self.desk.emit)

        def score(job: Job, video: Path) -> Scores:
            if not options.enabled and job.accept is None:
                return {}
            return scoring.score(video_of(job, video, files((job.model, job.weights[BASE])).faces))

        return score

    def __enter__(self) -> Executor:
        with ExitStack() as stack:
            stack.callback(self._released)
            self.writer = stack.enter_context(Writer(self.desk.stop))
            self.ahead = stack.enter_context(ReadAhead())
            self._leaving = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.__exit__(kind, error, trace)

    def _released(self) -> None:
        if self.settings.goes_on:  # else the process ends, and all memory with it
            self.engines.release()

    def groups(self, groups: Sequence[Group], ahead: Sequence[str] = ()) -> None:
        """Make the jobs of all groups, one group after the other.

        Args:
            groups: that are to be made.
            ahead: texts of the jobs that may follow.
        """
        self._texts_ahead = ahead
        for group, following in zip_longest(groups, groups[1:]):
            if self._is_worth(group):
                self._group(group, following)

    def _is_worth(self, group: Group) -> bool:
        """Whether any job of a group is worth loading its weights."""
        deadline, now = self.settings.deadline, time.monotonic()
        if deadline is None or any(deadline.is_worth(item.job, None, now) for item in group.jobs):
            return True
        self.desk.tally.out_of_time = True
        return False

    def _group(self, group: Group, following: Group | None) -> None:
        """Make the jobs of one group on one loaded model; with the last of them, read what the `following` loads."""
        files = self.settings.files((group.model, group.base))
        subjects = self._subjects_of(group, files)
        queue = JobQueue(self._with_subjects([item.job for item in group.jobs], subjects), self.desk.stop.wait)
        turns = self._take(queue)
        if not turns:
            return
        self.ahead.end()
        engine = self.engines.load(group, files)
        maker = self._maker(engine, queue, subjects)
        while turns:
            self._window(engine, maker, queue, turns, following)
            turns = self._take(queue) or self._late(group, queue)

    def _subjects_of(self, group: Group, files: ModelFiles) -> Subjects:
        key = (group.model, group.base)
        if key not in self._subjects:
            folder = self.desk.store.layout.subjects
            self._subjects[key] = Subjects(folder, files.faces, self.settings.device, self.settings.refused)
        return self._subjects[key]

    def _take(self, queue: JobQueue) -> list[Turn]:
        return queue.take(WINDOW, lambda turn: self.ladder.profile_for(turn.job))

    def _late(self, group: Group, queue: JobQueue) -> list[Turn]:
        """Attempts that follow from clips which are still being written and judged."""
        if all(item.job.accept is None for item in group.jobs):
            return []
        self.writer.wait()
        return self._take(queue)

    def _window(
        self, engine: Engine, maker: Maker, queue: JobQueue, turns: Sequence[Turn], following: Group | None
    ) -> None:
        """Run jobs that begin with the same memory profile, until they do not."""
        profile = self.ladder.profile_for(turns[0].job)
        self.engines.use(engine, profile)
        size = TURN if engine.takes_turns else WINDOW
        turns, rest = turns[:size], turns[size:]
        queue.put_first(rest)
        self.engines.encode_prompts(engine, [turn.job for turn in turns], self._texts_ahead)
        for together in [turns] if engine.takes_turns else [[turn] for turn in turns]:
            if self.ladder.profile_for(together[0].job) is not profile:
                queue.put_first(turns[turns.index(together[0]) :])
                return
            if queue.is_empty and together[-1] is turns[-1]:
                self._read_ahead(following)
            maker.together(together)

    def _read_ahead(self, group: Group | None) -> None:
        """Read what a group loads, while the last job before it is made."""
        if group is not None:
            files = self.settings.files((group.model, group.base))
            self.ahead.begin(lambda: files_of(files, group.dtype))

    def _maker(self, engine: Engine, queue: JobQueue, subjects: Subjects) -> Maker:
        return Maker(
            engine=engine,
            queue=queue,
            subjects=subjects,
            keeper=self.keeper,
            outcomes=self.outcomes,
            ladder=self.ladder,
            room=self.settings.room,
            stop=self.desk.stop,
            deadline=self.settings.deadline,
            emit=self.desk.emit,
            hand_over=self.keeping.taker(self.writer, queue),
            gave_up=lambda job: self.keeping.gave_up(job, queue),
            check=self.writer.check,
        )

    def _with_subjects(self, jobs: Sequence[Job], subjects: Subjects) -> Sequence[Job]:
        """The jobs whose subjects can be prepared; the others fail here, before the weights are loaded."""
        count = len({job.subject for job in jobs if job.subject is not None})
        if count == 0:
            return jobs
        told = f"preparing {count} {'identity' if count == 1 else 'identities'}"
        # A crew's driver has prepared them, and of every parcel that would be said.
        with nullcontext() if self.settings.common else preparing(self.desk.emit, told), part("identity"):
            return [job for job in jobs if self._has_subject(job, subjects)]

    def _has_subject(self, job: Job, subjects: Subjects) -> bool:
        """Whether it can be prepared. Faults that may pass are left to the job's own attempts."""
        if job.subject is None:
            return True
        try:
            with about(job), self.desk.stop.at_once():
                subjects.prepare(job)
        except Exception as error:
            kind = kind_of(error)
            if kind is FailureKind.MACHINE:
                raise
            if kind not in (FailureKind.INPUT, FailureKind.REFUSED) and kind not in ENDING:
                return True
            self.outcomes.has_failed(Turn(job), error, kind)
            if kind in ENDING:
                raise RunEnded(kind.value) from error
            return False
        return True


def _versions() -> dict[str, str]:
    return {"standin_batch": __version__, "torch": version("torch"), "diffsynth": version("diffsynth")}


class Alone:
    """An executor that makes a whole plan by itself.

    Args:
        plan: all of it.
        desk: where results go, and who is told.
        settings: where and how.
    """

    def __init__(self, plan: Plan, desk: Desk, settings: Settings) -> None:
        self._plan, self._executor = plan, Executor(desk, settings)

    def work(self) -> None:
        """Make every job; as `conduct.Labour` has it."""
        with self._executor as executor:
            executor.groups(self._plan.groups)

    def left(self, why: str) -> None:
        """Note how far the jobs at work came."""
        self._executor.outcomes.cancel(why)

    def learn(self, profiled: Profiled) -> None:
        """Note how long the run took."""
        executor, jobs = self._executor, [item.job for item in self._plan.to_run]
        beside, memory = sum(profiled.beside.values()), executor.ladder.usual.value
        encoded, scored = len(executor.engines.encoded), executor.settings.scores.enabled
        executor.measured.add_run(executor.device, jobs, scored, profiled.parts, beside, memory, encoded)
