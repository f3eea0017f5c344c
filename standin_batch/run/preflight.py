"""Preflight: the identities and videos of jobs are looked at, before any of them costs anything.

What is wrong with what was seen is `face.preflight`'s to say, how it was seen `looks`'s, and how it is shown `sheet`'s.
"""

from __future__ import annotations

import logging
import shlex
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from standin_batch.errors import NotReadyError, StandinError
from standin_batch.face.checks import BY_THEMSELVES, Cause, FaceChecks, Finding
from standin_batch.face.footage import Footage, footage_findings
from standin_batch.face.portrait import Portrait
from standin_batch.face.preflight import Sitter, findings_of
from standin_batch.face.sheet import Verdict
from standin_batch.job import InputFile, Job, Subject
from standin_batch.output.layout import OutputLayout
from standin_batch.output.people import keep_person
from standin_batch.run.events import Listener, Prepared, Preparing, Warned
from standin_batch.run.looks import Looks, meant, watched
from standin_batch.run.subjects import CPU, Subjects, aside
from standin_batch.weights.locate import FaceFiles

logger = logging.getLogger(__name__)

MOST_SAID = 10
"""Warnings that a run says one by one."""


@dataclass(frozen=True)
class Seen:
    """One identity that was looked at.

    Attributes:
        sitter: what was found.
        image: the photograph.
        prepared: the file of what the model will be shown; None where there is nothing to show.
    """

    sitter: Sitter
    image: Path
    prepared: Path | None


@dataclass(frozen=True)
class Preflight:
    """What was looked at, and what is wrong with it.

    Attributes:
        seen: identities, in the order of their jobs.
        footage: videos that faces go into, likewise.
        findings: of identities in their order, then of videos.
        refused: why jobs are not made, by their id. Those that will fail by themselves are not among them.
        notes: what could not be looked at.
    """

    seen: tuple[Seen, ...] = ()
    footage: tuple[Footage, ...] = ()
    findings: tuple[Finding, ...] = ()
    refused: Mapping[str, Finding] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def of(self, name: str) -> tuple[Finding, ...]:
        """What is wrong with the identity or video of this name."""
        return tuple(finding for finding in self.findings if finding.name == name)

    @property
    def has_errors(self) -> bool:
        """Whether any finding is an error."""
        return any(finding.severity == "error" for finding in self.findings)


def preflight(
    jobs: Sequence[Job], checks: FaceChecks, faces: Mapping[str, FaceFiles], layout: OutputLayout, emit: Listener
) -> Preflight:
    """Look at each identity of `jobs`, and at each video in which they look for faces, once, without a GPU.

    Args:
        jobs: of any models.
        checks: from where on something is wrong.
        faces: the files of the face models, by the row of the registry.
        layout: of the output folder: prepared subjects are kept there, and what tells people apart.
        emit: is told when it begins and ends.

    Raises:
        FaceModelsMissing: if there are no face models, and somebody has to be looked at.
    """
    sitting, showing = _sitting(jobs), _showing(jobs)
    if not sitting and not showing:
        return Preflight()
    what, start = f"looking at {told(len(sitting), len(showing))}", time.monotonic()
    emit(Preparing(what))
    studio = _Studio(faces, layout)
    seen = tuple(studio.seen(name, theirs[0]) for name, theirs in sitting.items())
    found = list(findings_of([each.sitter for each in seen], checks))
    footage = []
    for name, theirs in showing.items():
        watched = studio.footage(name, theirs[0], checks)
        if isinstance(watched, Finding):
            found.append(watched)
        else:
            footage.append(watched)
            found += footage_findings(watched, checks)
    emit(Prepared(what, time.monotonic() - start))
    refused = _refused(found, {**showing, **sitting})
    return Preflight(seen, tuple(footage), tuple(found), refused, tuple(studio.notes))


def told(identities: int, videos: int) -> str:
    """How many were looked at, in words."""
    counts = ((identities, "identity", "identities"), (videos, "video", "videos"))
    return " and ".join(f"{number:,} {one if number == 1 else many}" for number, one, many in counts if number)


@dataclass
class _Studio:
    """Where people sit: the face models and what they prepare, one for each model."""

    faces: Mapping[str, FaceFiles]
    layout: OutputLayout
    notes: dict[str, None] = field(default_factory=dict)
    _looks: dict[FaceFiles, Looks] = field(default_factory=dict)
    _subjects: dict[FaceFiles, Subjects] = field(default_factory=dict)

    def seen(self, name: str, job: Job) -> Seen:
        """The identity of `job`, looked at."""
        assert job.subject is not None
        portrait, error = self._portrait(job, job.subject)
        prepared = None
        if error is None:
            prepared, error = self._prepared(job, portrait)
        sitter = Sitter(
            name=name,
            digest=job.subject.digest,
            kind=job.subject.kind,
            whole_image=job.subject.on_no_face == "whole_image",
            portrait=portrait,
            unreadable=error,
            aside=aside(job.model),
        )
        if portrait is not None and portrait.embedding is not None:
            with suppress(OSError, NotReadyError):  # a full disk, too, is told by what comes next
                keep_person(self.layout, job.subject.digest, portrait.embedding)
        return Seen(sitter, job.subject.image, prepared)

    def footage(self, name: str, job: Job, checks: FaceChecks) -> Footage | Finding:
        """The video of `job`, looked at; a finding where it cannot be read."""
        looks = self._look(job)
        try:
            return replace(looks.footage(job), name=name)
        except NotReadyError:
            raise
        except Exception as error:
            found = _readable(error, name)
            return checks.finding(name, Cause.UNREADABLE, found.message, found.hint, "cannot be read")

    def _portrait(self, job: Job, subject: Subject) -> tuple[Portrait | None, StandinError | None]:
        if subject.kind != "face":
            return None, None
        try:
            return self._look(job).portrait(subject.image), None
        except NotReadyError:
            raise
        except Exception as error:  # a job of its own fails by it, or by nothing: the others are looked at
            return None, _readable(error, str(subject.image))

    def _prepared(self, job: Job, portrait: Portrait | None) -> tuple[Path | None, StandinError | None]:
        """What the model will be shown, and of what is no face, whether it opens."""
        files = self.faces[job.model]
        looks = self._looks.setdefault(files, Looks(files))
        subjects = self._subjects.setdefault(
            files, Subjects(self.layout.subjects, files, CPU, detector=lambda: looks.detector)
        )
        assert job.subject is not None
        if portrait is not None and not portrait.faces and job.subject.on_no_face == "error":
            return None, None
        try:
            return subjects.prepare(job), None
        except Exception as error:  # a full disk, too, is told by what comes next
            opens = portrait is not None or isinstance(error, (NotReadyError, OSError))
            return None, None if opens else _readable(error, str(job.subject.image))

    def _look(self, job: Job) -> Looks:
        files = self.faces[job.model]
        looks = self._looks.setdefault(files, Looks(files))
        if not looks.tells_apart:
            self.notes[f"people were not compared: there is no face embedder in {files.detector}"] = None
        return looks


def _readable(error: Exception, what: str) -> StandinError:
    """What went wrong, in a user's words."""
    if isinstance(error, StandinError):
        return error
    logger.info("%s could not be looked at", what, exc_info=error)
    return StandinError(f"{what} could not be looked at: {type(error).__name__}: {error}", "save it anew as PNG")


def _sitting(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    """The jobs of each identity, by its name; of several with one name each but the first also by its file."""
    of_identity: dict[tuple[str, tuple[str, ...]], list[Job]] = {}
    for job in jobs:
        if job.subject is not None:
            key = (job.subject.name, tuple(job.subject.fingerprint().values()))
            of_identity.setdefault(key, []).append(job)
    named = ((name, theirs[0].subject, theirs) for (name, _), theirs in of_identity.items())
    return _named((name, subject.image, theirs) for name, subject, theirs in named if subject is not None)


def _showing(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    """The jobs of each video in which faces are looked for, by its file's name, as they see it."""
    of_video: dict[tuple[object, ...], tuple[InputFile, list[Job]]] = {}
    for job in jobs:
        if (video := watched(job)) is not None:
            wanted = meant(job)
            size = (job.width, job.height, job.num_frames, job.fps)
            key = (video.digest, None if wanted is None else wanted.digest, size)
            of_video.setdefault(key, (video, []))[1].append(job)
    return _named((video.path.name, video.path, theirs) for video, theirs in of_video.values())


def _named(things: Iterable[tuple[str, Path, list[Job]]]) -> dict[str, list[Job]]:
    found: dict[str, list[Job]] = {}
    repeated: Counter[str] = Counter()
    for name, path, theirs in things:
        own = name if name not in found else f"{name} ({path.parent.name}/{path.name})"
        repeated[own] += 1
        found[own if repeated[own] == 1 else f"{own} {repeated[own]}"] = theirs
    return found


def _refused(findings: Iterable[Finding], jobs: Mapping[str, Sequence[Job]]) -> dict[str, Finding]:
    refused: dict[str, Finding] = {}
    for finding in findings:
        if finding.severity == "error" and finding.cause not in BY_THEMSELVES:
            for job in jobs[finding.name]:
                refused.setdefault(job.job_id, finding)
    return refused


def warnings_of(found: Preflight, manifest: Path) -> Iterator[Warned]:
    """What a run says of it: the first warnings, and how many more there are. Errors are told by the jobs that fail."""
    for note in found.notes:
        yield Warned(note)
    warnings = [finding for finding in found.findings if finding.severity == "warning"]
    for finding in warnings[:MOST_SAID]:
        yield Warned(f"{finding.name}: {finding.message}", finding.cure)
    if (more := len(warnings) - MOST_SAID) > 0:
        yield Warned(f"… and {more:,} more", f"standin validate --faces {shlex.quote(str(manifest))}")


def verdict(findings: Iterable[Finding]) -> Verdict:
    """The worst that is to be said of what these findings are about."""
    severities = {finding.severity for finding in findings}
    return "error" if "error" in severities else "warning" if severities else "ok"
