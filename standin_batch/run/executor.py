"""The executor: takes a plan to its end. One job's failure is its own; what is done is on disk before it is said so."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
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
)
from standin_batch.run.journal import Journal, State
from standin_batch.run.measured import Measured, device_of
from standin_batch.run.subjects import Subjects
from standin_batch.run.writer import Writer
from standin_batch.weights.locate import ModelFiles

if TYPE_CHECKING:
    from standin_batch.engine.engine import Clip, Engine

logger = logging.getLogger(__name__)

WINDOW = 64
"""Jobs whose prompts are encoded together, before the text encoder leaves the GPU."""


@dataclass(frozen=True)
class RunSettings:
    """Where a plan runs.

    Attributes:
        manifest: name of the manifest.
        device: as torch names it.
        files: of each model in the plan.
    """

    manifest: str
    device: str
    files: Mapping[str, ModelFiles]


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
    """The state of one run: counts, which the writer's thread moves too, and the job at work."""

    store: Store
    settings: RunSettings
    emit: Listener
    journal: Journal
    device: str
    measured: Measured = field(default_factory=Measured.default)
    completed: int = 0
    failed: int = 0
    running: Job | None = None
    counting: Lock = field(default_factory=Lock)
    versions: dict[str, str] = field(default_factory=lambda: _versions())

    def group(self, group: Group, writer: Writer) -> None:
        """Run the jobs of one group on one loaded model."""
        files = self.settings.files[group.model]
        subjects = Subjects(self.store.layout.subjects, files, self.settings.device)
        jobs = self._with_subjects(group.jobs, subjects)
        if not jobs:
            return
        engine = self._load(group, files)
        try:
            for window in _windows(jobs):
                self._encode_prompts(engine, window)
                for planned in window:
                    self._job(planned.job, engine, subjects, writer)
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
            self._fail(job, error)
            return False
        return True

    @contextmanager
    def _preparing(self, what: str) -> Iterator[None]:
        self.emit(Preparing(what))
        start = time.monotonic()
        yield
        self.emit(Prepared(what, time.monotonic() - start))

    def cancel(self) -> None:
        """Note that the job at work was not finished."""
        if self.running is not None:
            self.journal.write(self.running.job_id, self.running.label, State.CANCELLED)

    def _load(self, group: Group, files: ModelFiles) -> Engine:
        with self._preparing(f"loading {group.model} ({group.dtype})"):
            from standin_batch.engine.engine import Engine

            imported = time.monotonic()
            engine = Engine.load(group.model, group.dtype, files, self.settings.device)
            self.measured.add_load(self.device, (group.model, group.dtype), time.monotonic() - imported)
            return engine

    def _encode_prompts(self, engine: Engine, window: Sequence[PlannedJob]) -> None:
        texts = dict.fromkeys(text for item in window for text in (item.job.negative_prompt, item.job.prompt))
        with self._preparing(f"encoding {len(texts)} prompts"):
            engine.encode_prompts(texts)

    def _job(self, job: Job, engine: Engine, subjects: Subjects, writer: Writer) -> None:
        self.running = job
        self.journal.write(job.job_id, job.label, State.RUNNING)
        self.emit(JobStarted(job.job_id, job.label, job.num_inference_steps))
        try:
            clip = engine.generate(
                job,
                lambda: subjects.image(job),
                lambda step, steps: self.emit(JobStep(job.job_id, step, steps)),
            )
        except NotReadyError:
            raise
        except Exception as error:
            self._fail(job, error)
        else:
            writer.submit(lambda: self._save(job, clip))
        self.running = None

    def _save(self, job: Job, clip: Clip) -> None:
        start = time.monotonic()
        try:
            record = self.store.save(job, clip.frames, clip.latents, self._provenance(clip))
        except NotReadyError:
            raise
        except Exception as error:
            self._fail(job, error)
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
        )

    def _fail(self, job: Job, error: Exception) -> None:
        logger.error("job %s (%s) failed", job.job_id, job.label, exc_info=error)
        message = error.message if isinstance(error, StandinError) else f"{type(error).__name__}: {error}"
        hint = error.hint if isinstance(error, StandinError) else "the log has the traceback"
        with self.counting:
            self.failed += 1
        self.journal.write(job.job_id, job.label, State.FAILED, message)
        self.emit(JobFailed(job.job_id, job.label, message, hint))


def _windows(jobs: Sequence[PlannedJob]) -> Iterator[Sequence[PlannedJob]]:
    return (jobs[start : start + WINDOW] for start in range(0, len(jobs), WINDOW))


def _versions() -> dict[str, str]:
    return {"standin_batch": __version__, "torch": version("torch"), "diffsynth": version("diffsynth")}
