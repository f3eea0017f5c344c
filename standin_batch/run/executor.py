"""The executor: takes a plan to its end. One job's failure is its own; what is done is on disk before it is said so."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from standin_batch import __version__
from standin_batch.errors import NotReadyError
from standin_batch.face.checks import Finding
from standin_batch.job import Job
from standin_batch.manifest.manifest import ScoreOptions
from standin_batch.output.index import write_index
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import Store, read_record, recorded_ids
from standin_batch.output.summary import summarise
from standin_batch.plan.memory import Profile
from standin_batch.plan.plan import Group, Plan
from standin_batch.run.deadline import Deadline
from standin_batch.run.engines import Engines
from standin_batch.run.events import Listener, RunFinished, RunStarted, Summarised, Warned
from standin_batch.run.failure import ENDING, FailureKind, kind_of
from standin_batch.run.job_queue import JobQueue, Turn
from standin_batch.run.journal import Journal
from standin_batch.run.keeper import Every, Keeper
from standin_batch.run.keeping import Keeping
from standin_batch.run.ladder import Ladder
from standin_batch.run.log import about
from standin_batch.run.measured import Measured, device_of
from standin_batch.run.outcomes import Outcomes, RunEnded
from standin_batch.run.preparing import preparing
from standin_batch.run.profile import FINISH, profile_of, told
from standin_batch.run.read_ahead import ReadAhead, files_of
from standin_batch.run.room import Room
from standin_batch.run.scoring import Scoring, video_of
from standin_batch.run.showing import Showing
from standin_batch.run.standing import Standing
from standin_batch.run.stop_request import withdrawn
from standin_batch.run.stopping import Stop
from standin_batch.run.subjects import Subjects
from standin_batch.run.worker import Worker
from standin_batch.run.writer import Writer
from standin_batch.scores.table import Scores
from standin_batch.stopwatch import current, part
from standin_batch.weights.content import BASE
from standin_batch.weights.locate import ModelFiles

if TYPE_CHECKING:
    from standin_batch.engine.engine import Engine

T = TypeVar("T")

logger = logging.getLogger(__name__)

WINDOW = 64
"""Jobs whose prompts are encoded together, before the text encoder leaves the GPU."""

TURN = 8
"""Jobs that go through one expert together where experts take turns. At 14B their two changes of place take seconds and
each clip minutes, so more would save little."""

QUICK_INDEX = 2_000
"""Records of which a run that is to stop still writes the index; of more the next run does, or `dataset index`."""


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Where and how a plan runs.

    Attributes:
        manifest: name of the manifest.
        device: as torch names it.
        files: of each row and base in the plan.
        profile: of the memory.
        every: how often the job at work is saved.
        max_failures: failed jobs that end the run; None for no end.
        deadline: of the run; None without one.
        room: on the disk of the output.
        scores: what is looked at in finished videos.
        standing: says where jobs stand that ask something of their scores.
        empty: ids of jobs whose videos show nothing, and would again.
        refused: what preflight objects to so much that a job is not made, by its id.
        estimated: seconds of the whole process; None where that is not known.
        goes_on: whether the process goes on after the run, and has to have the memory back.
    """

    manifest: str
    device: str
    files: Mapping[tuple[str, str], ModelFiles]
    profile: Profile
    every: Every
    max_failures: int | None
    deadline: Deadline | None
    room: Room
    scores: ScoreOptions
    standing: Callable[[], Standing] = lambda: Standing(())
    empty: frozenset[str] = frozenset()
    refused: Mapping[str, Finding] = field(default_factory=dict)
    estimated: float | None = None
    goes_on: bool = True


def execute(plan: Plan, store: Store, settings: RunSettings, emit: Listener, stop: Stop) -> RunFinished:
    """Run every job of `plan` into an open `store`, and write the index.

    Returns:
        What came of it, also if it ended before its end.

    Raises:
        NotReadyError: if the weights of a group cannot be loaded; what was done before is kept.
    """
    start = time.monotonic()
    layout = store.layout
    emit(RunStarted(settings.manifest, str(layout.folder), len(plan.to_run), len(plan.done), settings.estimated))
    why, fault = "", None
    with closing(Journal(layout.journals)) as journal:
        planned = {item.job.job_id for item in plan.to_run}
        outcomes = Outcomes(layout, journal, emit, settings.max_failures, planned, empty=set(settings.empty))
        showing = Showing(layout, plan.total)
        run = _Run(store, settings, emit, stop, outcomes, showing)
        try:
            run.groups(plan.groups)
        except KeyboardInterrupt:
            stop.request("nobody reads its output")  # unless there was a reason before
            why = stop.reason
        except RunEnded as ended:
            why = ended.why
            if ended.told:
                emit(Warned(ended.told, "the log has more; run the same command again to go on"))
        except NotReadyError as error:
            why, fault = kind_of(error).value, error
        finally:
            outcomes.cancel(why or "an error")
            with part(FINISH):
                why = _wound_up(layout, showing, emit, in_haste=stop.requested) or why
    with part(FINISH):
        if not stop.requested:
            records = filter(None, (read_record(layout, made) for made in outcomes.made))
            emit(Summarised(summarise(records, outcomes.failures)))
        now = settings.standing()
    finished = _finished(plan, outcomes, stop, time.monotonic() - start, str(layout.folder), why)
    finished = replace(finished, not_accepted=len(now.not_accepted), unscored=len(now.unscored))
    profiled = profile_of(current())
    logger.info(told(profiled))
    emit(profiled)
    if _teaches(plan, finished):
        jobs, scored = [item.job for item in plan.to_run], settings.scores.enabled
        beside, memory = sum(profiled.beside.values()), run.ladder.usual.value
        encoded = len(run.engines.encoded)
        run.measured.add_run(run.device, jobs, scored, profiled.parts, beside, memory, encoded)
    emit(finished)
    if fault is not None:
        raise fault
    return finished


def _teaches(plan: Plan, finished: RunFinished) -> bool:
    """Whether it made just what was planned, from the beginning: then it tells how long the next will take."""
    whole = all(not item.reason.saved for item in plan.to_run) and not finished.why
    return whole and not finished.failed and finished.completed == len(plan.to_run)


def _finished(plan: Plan, outcomes: Outcomes, stop: Stop, seconds: float, folder: str, why: str) -> RunFinished:
    remaining = outcomes.remaining
    stopped = remaining > 0 and (stop.requested or outcomes.out_of_time)
    if not why and stopped:
        why = stop.reason or "the deadline"
    return RunFinished(
        completed=outcomes.completed,
        failed=outcomes.failed,
        remaining=remaining,
        seconds=seconds,
        stopped=stopped,
        folder=folder,
        failed_before=len(plan.failed_before),
        why="" if why == stop.reason and not stopped else why,
        rejected=outcomes.rejected,
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


@dataclass
class _Run:
    """One run: what its groups have in common."""

    store: Store
    settings: RunSettings
    emit: Listener
    stop: Stop
    outcomes: Outcomes
    showing: Showing
    measured: Measured = field(default_factory=Measured.default)
    versions: dict[str, str] = field(default_factory=lambda: _versions())

    def __post_init__(self) -> None:
        self.device = device_of(self.settings.device).name
        made_by = {**self.versions, "device": self.device}
        self.keeper = Keeper(self.store.layout, self.settings.every, made_by, self.emit)
        self.keeping = Keeping(
            store=self.store,
            outcomes=self.outcomes,
            keeper=self.keeper,
            stop=self.stop,
            measured=self.measured,
            score=self._score(),
            showing=self.showing,
            manifest=self.settings.manifest,
            device=self.settings.device,
            device_name=self.device,
            versions=self.versions,
        )
        self.ladder = Ladder(self.settings.profile)
        self.ahead = ReadAhead()
        self.engines = Engines(
            device=self.settings.device,
            device_name=self.device,
            ladder=self.ladder,
            measured=self.measured,
            stop=self.stop,
            emit=self.emit,
        )

    def _score(self) -> Callable[[Job, Path], Scores]:
        """Scores the video of a job, if anybody wants to know."""
        options, files = self.settings.scores, self.settings.files
        scoring = Scoring(self.store.layout, options.frames, self.emit)

        def score(job: Job, video: Path) -> Scores:
            if not options.enabled and job.accept is None:
                return {}
            return scoring.score(video_of(job, video, files[job.model, job.weights[BASE]].faces))

        return score

    def groups(self, groups: Sequence[Group]) -> None:
        """Run all groups, one after the other."""
        with Writer(self.stop) as writer, self.ahead:
            for group, following in zip_longest(groups, groups[1:]):
                if self._is_worth(group):
                    self._group(group, following, writer)

    def _is_worth(self, group: Group) -> bool:
        """Whether any job of a group is worth loading its weights."""
        deadline, now = self.settings.deadline, time.monotonic()
        if deadline is None or any(deadline.is_worth(item.job, None, now) for item in group.jobs):
            return True
        self.outcomes.out_of_time = True
        return False

    def _group(self, group: Group, following: Group | None, writer: Writer) -> None:
        """Run the jobs of one group on one loaded model; with the last of them, read what the `following` loads."""
        files = self.settings.files[group.model, group.base]
        subjects = Subjects(self.store.layout.subjects, files.faces, self.settings.device, self.settings.refused)
        queue = JobQueue(self._with_subjects([item.job for item in group.jobs], subjects), self.stop.wait)
        turns = self._take(queue)
        if not turns:
            return
        self.ahead.end()
        engine = self.engines.load(group, files)
        worker = self._worker(engine, queue, subjects, writer)
        try:
            while turns:
                self._window(engine, worker, queue, turns, following)
                turns = self._take(queue) or self._late(group, queue, writer)
        finally:
            if following is not None or self.settings.goes_on:  # else the process ends, and all memory with it
                with suppress(RuntimeError), part(FINISH):  # a device that is lost
                    engine.release()

    def _take(self, queue: JobQueue) -> list[Turn]:
        return queue.take(WINDOW, lambda turn: self.ladder.profile_for(turn.job))

    def _late(self, group: Group, queue: JobQueue, writer: Writer) -> list[Turn]:
        """Attempts that follow from clips which are still being written and judged."""
        if all(item.job.accept is None for item in group.jobs):
            return []
        writer.wait()
        return self._take(queue)

    def _window(
        self, engine: Engine, worker: Worker, queue: JobQueue, turns: Sequence[Turn], following: Group | None
    ) -> None:
        """Run jobs that begin with the same memory profile, until they do not."""
        profile = self.ladder.profile_for(turns[0].job)
        self.engines.use(engine, profile)
        size = TURN if engine.takes_turns else WINDOW
        turns, rest = turns[:size], turns[size:]
        queue.put_first(rest)
        self.engines.encode_prompts(engine, [turn.job for turn in turns])
        for together in [turns] if engine.takes_turns else [[turn] for turn in turns]:
            if self.ladder.profile_for(together[0].job) is not profile:
                queue.put_first(turns[turns.index(together[0]) :])
                return
            if queue.is_empty and together[-1] is turns[-1]:
                self._read_ahead(following)
            worker.together(together)

    def _read_ahead(self, group: Group | None) -> None:
        """Read what a group loads, while the last job before it is made."""
        if group is not None:
            files = self.settings.files[group.model, group.base]
            self.ahead.begin(lambda: files_of(files, group.dtype))

    def _worker(self, engine: Engine, queue: JobQueue, subjects: Subjects, writer: Writer) -> Worker:
        return Worker(
            engine=engine,
            queue=queue,
            subjects=subjects,
            keeper=self.keeper,
            outcomes=self.outcomes,
            ladder=self.ladder,
            room=self.settings.room,
            stop=self.stop,
            deadline=self.settings.deadline,
            emit=self.emit,
            hand_over=self.keeping.taker(writer, queue),
            gave_up=lambda job: self.keeping.gave_up(job, queue),
            check=writer.check,
        )

    def _with_subjects(self, jobs: Sequence[Job], subjects: Subjects) -> Sequence[Job]:
        """The jobs whose subjects can be prepared; the others fail here, before the weights are loaded."""
        count = len({job.subject for job in jobs if job.subject is not None})
        if count == 0:
            return jobs
        told = f"preparing {count} {'identity' if count == 1 else 'identities'}"
        with preparing(self.emit, told), part("identity"):
            return [job for job in jobs if self._has_subject(job, subjects)]

    def _has_subject(self, job: Job, subjects: Subjects) -> bool:
        """Whether it can be prepared. Faults that may pass are left to the job's own attempts."""
        if job.subject is None:
            return True
        try:
            with about(job), self.stop.at_once():
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
