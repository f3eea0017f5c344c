"""The executor: takes a plan to its end. One job's failure is its own; what is done is on disk before it is said so."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from threading import Lock
from typing import TYPE_CHECKING

from standin_batch import __version__
from standin_batch.errors import NotReadyError, StandinError
from standin_batch.job import Job
from standin_batch.output.index import write_index
from standin_batch.output.store import Provenance, Store
from standin_batch.plan.plan import Group, Plan, PlannedJob
from standin_batch.run.events import (
    JobCompleted,
    JobFailed,
    JobStarted,
    JobStep,
    Listener,
    Prepared,
    Preparing,
    RunFinished,
    RunStarted,
    Warned,
)
from standin_batch.run.journal import Journal, State
from standin_batch.run.measured import Measured, device_of
from standin_batch.run.subjects import Subjects
from standin_batch.run.writer import Writer
from standin_batch.weights.locate import ModelFiles

if TYPE_CHECKING:
    from standin_batch.engine.denoise import OnStep
    from standin_batch.engine.engine import Clip, Engine, Work

logger = logging.getLogger(__name__)

WINDOW = 64
"""Jobs whose prompts are encoded together, before the text encoder leaves the GPU."""

TURN = 8
"""Jobs that go through one expert together where experts take turns. At 14B their two changes of place take seconds and
each clip minutes, so more would save little, and a stop would lose more."""


@dataclass(frozen=True)
class RunSettings:
    """Where a plan runs.

    Attributes:
        manifest: name of the manifest.
        device: as torch names it.
        files: of each row and base in the plan.
        one_at_a_time: whether the experts of a model that has two take turns on the device: each takes all clips of a
            window through its steps before the next comes.
    """

    manifest: str
    device: str
    files: Mapping[tuple[str, str], ModelFiles]
    one_at_a_time: bool = False


def execute(plan: Plan, store: Store, settings: RunSettings, emit: Listener) -> RunFinished:
    """Run every job of `plan` into an open `store`, and write the index.

    Returns:
        What came of it; after SIGINT (as KeyboardInterrupt), with `stopped` set.

    Raises:
        NotReadyError: if the weights of a group cannot be loaded; what was done before is kept.
    """
    start = time.monotonic()
    folder = str(store.layout.folder)
    emit(RunStarted(settings.manifest, folder, len(plan.to_run), len(plan.done)))
    stopped = False
    with closing(Journal(store.layout.journals)) as journal:
        run = _Run(store, settings, emit, journal, device_of(settings.device).name)
        try:
            with Writer() as writer:
                for group in plan.groups:
                    run.group(group, writer)
        except KeyboardInterrupt:
            stopped = True
            run.cancel()
        finally:
            write_index(store.layout)
    left = len(plan.to_run) - run.completed - run.failed
    finished = RunFinished(run.completed, run.failed, left, time.monotonic() - start, stopped, folder)
    emit(finished)
    return finished


@dataclass
class _Run:
    """The state of one run: counts, which the writer's thread moves too, and the jobs at work."""

    store: Store
    settings: RunSettings
    emit: Listener
    journal: Journal
    device: str
    measured: Measured = field(default_factory=Measured.default)
    completed: int = 0
    failed: int = 0
    at_work: dict[str, Job] = field(default_factory=dict)
    counting: Lock = field(default_factory=Lock)
    versions: dict[str, str] = field(default_factory=lambda: _versions())

    def group(self, group: Group, writer: Writer) -> None:
        """Run the jobs of one group on one loaded model."""
        files = self.settings.files[group.model, group.base]
        subjects = Subjects(self.store.layout.subjects, files, self.settings.device)
        jobs = self._with_subjects(group.jobs, subjects)
        if not jobs:
            return
        engine = self._load(group, files)
        try:
            for window in _windows(jobs, TURN if engine.one_at_a_time else WINDOW):
                self._encode_prompts(engine, window)
                worker = _Worker(self, engine, subjects, writer)
                if engine.one_at_a_time:
                    worker.by_expert([planned.job for planned in window])
                else:
                    worker.one_by_one([planned.job for planned in window])
        finally:
            engine.release()

    def _with_subjects(self, jobs: Sequence[PlannedJob], subjects: Subjects) -> Sequence[PlannedJob]:
        """The jobs whose subjects can be prepared; the others fail here, before the weights are loaded."""
        count = len({planned.job.subject for planned in jobs if planned.job.subject is not None})
        if count == 0:
            return jobs
        with self._preparing(f"preparing {count} {'identity' if count == 1 else 'identities'}"):
            return [planned for planned in jobs if self._has_subject(planned.job, subjects)]

    def _has_subject(self, job: Job, subjects: Subjects) -> bool:
        try:
            if job.subject is not None:
                subjects.prepare(job)
        except NotReadyError:
            raise
        except Exception as error:
            self.fail(job, error)
            return False
        return True

    @contextmanager
    def _preparing(self, what: str) -> Iterator[None]:
        self.emit(Preparing(what))
        start = time.monotonic()
        yield
        self.emit(Prepared(what, time.monotonic() - start))

    def cancel(self) -> None:
        """Note that the jobs at work were not finished."""
        for job in self.at_work.values():
            self.journal.write(job.job_id, job.label, State.CANCELLED)

    def _load(self, group: Group, files: ModelFiles) -> Engine:
        with self._preparing(f"loading {group.model} ({group.dtype})"):
            from standin_batch.engine.engine import Engine

            imported = time.monotonic()
            engine = Engine.load(group.model, group.dtype, files, self.settings.device, self.settings.one_at_a_time)
            self.measured.add_load(self.device, (group.model, group.dtype), time.monotonic() - imported)
            return engine

    def _encode_prompts(self, engine: Engine, window: Sequence[PlannedJob]) -> None:
        texts = dict.fromkeys(text for item in window for text in (item.job.negative_prompt, item.job.prompt))
        with self._preparing(f"encoding {len(texts)} prompts"):
            engine.encode_prompts(texts)

    def begins(self, job: Job) -> None:
        """Say that a job is at work now."""
        self.at_work[job.job_id] = job
        self.journal.write(job.job_id, job.label, State.RUNNING)
        self.emit(JobStarted(job.job_id, job.label, job.num_inference_steps))

    def save(self, job: Job, clip: Clip) -> None:
        """Write the video and record of a job."""
        start = time.monotonic()
        try:
            record = self.store.save(job, clip.frames, clip.latents, self._provenance(clip))
        except NotReadyError:
            raise
        except Exception as error:
            self.fail(job, error)
            return
        with self.counting:
            self.completed += 1
        self.journal.write(job.job_id, job.label, State.COMPLETED)
        self.measured.add_job(self.device, job, clip.seconds)
        seconds = sum(clip.seconds.values()) + time.monotonic() - start
        self.emit(JobCompleted(job.job_id, job.label, record.video, seconds))

    def _provenance(self, clip: Clip) -> Provenance:
        return Provenance(
            manifest=self.settings.manifest,
            seconds=clip.seconds,
            peak_memory=clip.peak_memory,
            device=self.settings.device,
            finished_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            versions=self.versions,
            report=clip.report,
        )

    def fail(self, job: Job, error: Exception) -> None:
        """Note that a job failed; the run goes on."""
        logger.error("job %s (%s) failed", job.job_id, job.label, exc_info=error)
        message = error.message if isinstance(error, StandinError) else f"{type(error).__name__}: {error}"
        hint = error.hint if isinstance(error, StandinError) else "the log has the traceback"
        with self.counting:
            self.failed += 1
        self.journal.write(job.job_id, job.label, State.FAILED, message)
        self.emit(JobFailed(job.job_id, job.label, message, hint))


@dataclass(frozen=True)
class _Worker:
    """Takes the jobs of a window through the engine. An error is the job's own, unless the machine is not ready."""

    run: _Run
    engine: Engine
    subjects: Subjects
    writer: Writer

    def one_by_one(self, jobs: Iterable[Job]) -> None:
        """Each job whole before the next."""
        for job in jobs:
            with self._own(job):
                self.run.begins(job)
                self._write(job, self.engine.generate(job, self.subjects, self._steps(job)))

    def by_expert(self, jobs: Iterable[Job]) -> None:
        """Every job through one expert, then every job through the next: the experts change places once a window."""
        works = []
        for job in jobs:
            with self._own(job):
                self.run.begins(job)
                works.append(self.engine.begin(job, self.subjects))
                self.engine.set_aside(works[-1])
        for expert in self.engine.experts:
            works = [work for work in works if self._through(work, expert)]

    def _through(self, work: Work, expert: int) -> bool:
        """Take one job through an expert; whether it goes on to another."""
        with self._own(work.job):
            self.engine.denoise(work, expert, self._steps(work.job))
            if expert != self.engine.experts[-1]:
                self.engine.set_aside(work)
                return True
            self._write(work.job, self.engine.finish(work))
        return False

    @contextmanager
    def _own(self, job: Job) -> Iterator[None]:
        try:
            yield
        except NotReadyError:
            raise
        except Exception as error:
            self.run.at_work.pop(job.job_id, None)
            self.run.fail(job, error)

    def _steps(self, job: Job) -> OnStep:
        return lambda step, steps: self.run.emit(JobStep(job.job_id, step, steps))

    def _write(self, job: Job, clip: Clip) -> None:
        for warning in clip.warnings:
            self.run.emit(Warned(f"{job.label}: {warning}"))
        self.writer.submit(lambda: self.run.save(job, clip))
        del self.run.at_work[job.job_id]


def _windows(jobs: Sequence[PlannedJob], size: int) -> Iterator[Sequence[PlannedJob]]:
    return (jobs[start : start + size] for start in range(0, len(jobs), size))


def _versions() -> dict[str, str]:
    return {"standin_batch": __version__, "torch": version("torch"), "diffsynth": version("diffsynth")}
