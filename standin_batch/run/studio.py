"""Where people sit for preflight: each identity and video is looked at, and what the model will be shown is prepared.

Nothing here says whether what was seen is good enough.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from standin_batch.errors import NotReadyError, StandinError
from standin_batch.face.checks import Cause, FaceChecks, Finding
from standin_batch.face.footage import Footage
from standin_batch.face.portrait import Portrait
from standin_batch.face.preflight import Sitter
from standin_batch.job import Job, Subject
from standin_batch.output.layout import OutputLayout
from standin_batch.output.people import Picture, keep_person
from standin_batch.run.looks import Looks
from standin_batch.run.subjects import CPU, Subjects, aside
from standin_batch.weights.content import FACE
from standin_batch.weights.locate import FaceFiles

logger = logging.getLogger(__name__)


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


@dataclass
class Studio:
    """The face models and what they prepare, for each model.

    Attributes:
        faces: the files of the face models, by the row of the registry.
        layout: of the output folder: prepared subjects are kept there, and what tells people apart.
        notes: what could not be looked at.
    """

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
                picture = Picture(job.subject.digest, job.weights.get(FACE, ""))
                keep_person(self.layout, picture, portrait.embedding)
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
            return checks.finding(name, Cause.UNREADABLE, found.message, found.hint, "cannot be read", about="video")

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
