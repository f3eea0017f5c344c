"""Freight: the files that go with a parcel to a worker that sees none of the driver's.

What jobs are made from travels by content, and to each worker once; of the output folder goes what these jobs need.
How it travels is not known here, nor what the worker makes of it: that is the inbox's and the mirror's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from standin_batch.attempts import attempt, attempts
from standin_batch.job import Job
from standin_batch.output.layout import OutputLayout
from standin_batch.output.subject_key import subject_key
from standin_batch.plan.plan import Plan
from standin_batch.weights.content import FACE

logger = logging.getLogger(__name__)

Content: TypeAlias = Any
"""Bytes, or what stands for them on the way."""


@dataclass(frozen=True)
class Input:
    """A file that jobs are made from.

    Attributes:
        path: of the file on the driver's machine.
        content: of the file; None where the driver cannot read it, or it is no longer what was planned.
    """

    path: Path
    content: Content | None


@dataclass(frozen=True)
class Freight:
    """What goes with a parcel.

    Attributes:
        inputs: that the worker does not have yet, by their SHA-256.
        files: of the output folder, by their paths below it.
    """

    inputs: Mapping[str, Input] = field(default_factory=dict)
    files: Mapping[PurePosixPath, bytes] = field(default_factory=dict)


class Freighter:
    """Loads freight, and knows what each worker has.

    Args:
        layout: of the output folder.
        put: gives what stands for a content on the way.
    """

    def __init__(self, layout: OutputLayout, put: Callable[[bytes], Content] = lambda content: content) -> None:
        self._layout, self._put = layout, put
        self._contents: dict[str, Content] = {}
        self._had: dict[str, set[str]] = {}

    def load(self, worker: str, plan: Plan) -> Freight:
        """What goes to a worker with a parcel."""
        had, jobs = self._had.setdefault(worker, set()), [item.job for item in plan.to_run]
        inputs = {
            digest: Input(path, self._content(digest, path)) for digest, path in inputs_of(jobs) if digest not in had
        }
        had.update(inputs)
        files = dict(self._files(dict.fromkeys(path for job in jobs for path in self._needed(job)), had))
        had.update(str(path) for path in files if _stays(path))
        return Freight(inputs, files)

    def forget(self, worker: str) -> None:
        """A worker is gone, and all that it had."""
        self._had.pop(worker, None)

    def _content(self, digest: str, path: Path) -> Content | None:
        """What was planned; a job whose file is gone fails by that where it is made, as it would here."""
        if digest not in self._contents:
            try:
                content = path.read_bytes()
            except OSError as error:
                logger.warning("%s cannot be sent to workers: %s", path, error)
                return None
            if sha256(content).hexdigest() != digest:
                logger.warning("%s has changed since it was planned, and is not sent to workers", path)
                return None
            self._contents[digest] = self._put(content)
        return self._contents[digest]

    def _files(self, paths: Iterable[Path], had: set[str]) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Those of `paths` that are there, and that a worker does not have."""
        for path in paths:
            name = PurePosixPath(self._layout.relative(path))
            if str(name) not in had:
                try:
                    yield name, path.read_bytes()
                except FileNotFoundError:
                    continue
                except OSError as error:  # all of it can be made again
                    logger.warning("%s cannot be sent to workers: %s", path, error)

    def _needed(self, job: Job) -> Iterator[Path]:
        if job.subject is not None:
            key = subject_key(job.subject.fingerprint(), job.weights.get(FACE))
            yield self._layout.subjects / f"{key}.png"
        yield from (self._layout.saved_state(each.job_id) for each in attempts(job))
        yield from self._judged(job)

    def _judged(self, job: Job) -> Iterator[Path]:
        """The records by which a clip is judged: of all attempts, also of those that were allowed once."""
        if job.accept is None:
            return
        yield from (self._layout.record(each.job_id) for each in attempts(job))
        for number in count(job.accept.best_of + job.accept.max_reseeds):
            path = self._layout.record(attempt(job, number).job_id)
            if not path.is_file():
                return
            yield path


def inputs_of(jobs: Iterable[Job]) -> Iterator[tuple[str, Path]]:
    """SHA-256 and path of each file that jobs are made from, each content once."""
    seen = set[str]()
    for job in jobs:
        for digest, path in _inputs(job):
            if digest not in seen:
                seen.add(digest)
                yield digest, path


def _inputs(job: Job) -> Iterator[tuple[str, Path]]:
    if job.subject is not None:
        yield job.subject.digest, job.subject.image
    for files in (job.files, *(lora.files for lora in job.loras)):
        yield from ((file.digest, file.path) for file in files.values())


def _stays(path: PurePosixPath) -> bool:
    """Whether a file of the output folder never changes: a prepared subject is named by all that decides it."""
    return path.parent.name == "subjects"
