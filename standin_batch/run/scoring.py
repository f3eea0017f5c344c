"""Scoring finished videos: on the CPU, while the GPU makes the next clip. Scoring that fails costs no video."""

from __future__ import annotations

import logging
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from standin_batch.attempts import rank
from standin_batch.job import Job
from standin_batch.media.video import VideoInfo
from standin_batch.output.layout import OutputLayout
from standin_batch.run.events import Listener, Warned
from standin_batch.run.looks import Looks
from standin_batch.scores.table import DECIDING, Scores
from standin_batch.weights.locate import FaceFiles

if TYPE_CHECKING:
    from standin_batch.face.detect import Detector
    from standin_batch.scores.clip import Person
    from standin_batch.scores.likeness import Embedding

logger = logging.getLogger(__name__)

Size = tuple[int, int]


@dataclass(frozen=True)
class Portrait:
    """The photograph of the person that a clip should show.

    Attributes:
        path: of the file.
        digest: SHA-256 of the file.
        models: face models that tell people apart.
    """

    path: Path
    digest: str
    models: FaceFiles


@dataclass(frozen=True)
class ToScore:
    """A video to look at.

    Attributes:
        label: of its job, for people.
        video: the file.
        info: what it is.
        portrait: of who it should show; None where that is no person.
    """

    label: str
    video: Path
    info: VideoInfo
    portrait: Portrait | None


def asks_for_face(job: Job) -> bool:
    """Whether the clips of a job are judged by the face that they show."""
    if job.accept is None or job.subject is None or job.subject.kind != "face":
        return False
    return any(DECIDING[each.score].of_face for each in (*job.accept.conditions, rank(job.accept)))


def video_of(job: Job, video: Path, models: FaceFiles) -> ToScore:
    """The video of `job`."""
    subject = job.subject
    portrait = None if subject is None or subject.kind != "face" else Portrait(subject.image, subject.digest, models)
    return ToScore(job.label, video, VideoInfo(job.width, job.height, job.num_frames, job.fps), portrait)


@dataclass
class Scoring:
    """Scores videos, one at a time.

    Attributes:
        layout: of the output folder.
        frames: of each video that are looked at.
        emit: is told what could not be scored.
    """

    layout: OutputLayout
    frames: int
    emit: Listener
    _detectors: dict[tuple[FaceFiles, Size], Detector] = field(default_factory=dict, repr=False)
    _looks: dict[FaceFiles, Looks] = field(default_factory=dict, repr=False)
    _people: dict[tuple[FaceFiles, str], Embedding | None] = field(default_factory=dict, repr=False)
    _told: set[str] = field(default_factory=set, repr=False)
    _one: Lock = field(default_factory=Lock, repr=False)

    def score(self, clip: ToScore) -> Scores:
        """The scores of a video; empty where they cannot be had, which is told."""
        from standin_batch.scores.clip import score_video

        try:
            with self._one:
                scores = score_video(clip.video, clip.info, self.frames, self._person(clip))
        except Exception as error:  # whatever it is, the video is made
            logger.warning("the video of %s could not be scored", clip.label, exc_info=True)
            cure = f"standin dataset score {shlex.quote(str(self.layout.folder))}"
            self._warn_once(f"a video could not be scored: {error}", cure)
            return {}
        return scores

    def _person(self, clip: ToScore) -> Person | None:
        """Who the video should show; None where that is no person, or cannot be told from others."""
        from standin_batch.face.detect import EMBEDDER, fitting
        from standin_batch.scores.clip import Person

        if clip.portrait is None:
            return None
        models = clip.portrait.models
        if not models.embedders():
            self._warn_once(f"there is no {EMBEDDER} in {models.detector}: faces have no scores", "standin doctor")
            return None
        embedding = self._embedding(clip.portrait)
        return (
            None
            if embedding is None
            else Person(embedding, self._detector(models, fitting(clip.info.width, clip.info.height)))
        )

    def _embedding(self, portrait: Portrait) -> Embedding | None:
        """Of the largest face of a photograph, as preflight saw it; None where the whole picture was taken for one."""
        key = (portrait.models, portrait.digest)
        if key not in self._people:
            # What looks remember is read but once: of thousands of photographs it takes a while.
            if portrait.models not in self._looks:
                self._looks[portrait.models] = Looks(portrait.models)
            self._people[key] = self._looks[portrait.models].portrait(portrait.path).embedding
        return self._people[key]

    def _detector(self, models: FaceFiles, size: Size) -> Detector:
        from standin_batch.face.detect import InsightFaceDetector

        key = (models, size)
        if key not in self._detectors:
            self._detectors[key] = InsightFaceDetector(models.detector, "cpu", with_embedding=True, size=size)
        return self._detectors[key]

    def _warn_once(self, message: str, hint: str) -> None:
        if message not in self._told:
            self._told.add(message)
            self.emit(Warned(message, hint))
