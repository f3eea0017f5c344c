"""Scoring finished videos: on the CPU, while the GPU makes the next clip. Scoring that fails costs no video."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from standin_batch.attempts import rank
from standin_batch.job import Job
from standin_batch.manifest.manifest import ScoreOptions
from standin_batch.media.video import VideoInfo
from standin_batch.output.layout import OutputLayout
from standin_batch.run.events import Listener, Warned
from standin_batch.run.log import about
from standin_batch.scores.table import DECIDING, Scores
from standin_batch.weights.content import BASE
from standin_batch.weights.locate import ModelFiles

if TYPE_CHECKING:
    from standin_batch.face.detect import Detector
    from standin_batch.scores.clip import Person
    from standin_batch.scores.likeness import Embedding

logger = logging.getLogger(__name__)

CELL = 32
"""The detector's sizes are multiples of it."""

Size = tuple[int, int]


def asks_for_face(job: Job) -> bool:
    """Whether the clips of a job are judged by the face that they show."""
    if job.accept is None or job.subject is None or job.subject.kind != "face":
        return False
    return any(DECIDING[each.score].of_face for each in (*job.accept.conditions, rank(job.accept)))


@dataclass
class Scoring:
    """Scores videos; safe to be called from one thread at a time.

    Attributes:
        layout: of the output folder.
        files: of each row and base, for the face models.
        options: how many frames are looked at.
        emit: is told what could not be scored.
    """

    layout: OutputLayout
    files: Mapping[tuple[str, str], ModelFiles]
    options: ScoreOptions
    emit: Listener
    _detectors: dict[tuple[Path, Size], Detector] = field(default_factory=dict, repr=False)
    _people: dict[tuple[Path, str], Embedding | None] = field(default_factory=dict, repr=False)
    _told: set[str] = field(default_factory=set, repr=False)
    _one: Lock = field(default_factory=Lock, repr=False)

    def scorer(self, job: Job) -> Callable[[Path], Scores]:
        """Scores the video of `job`, which is in its place, if anybody wants to know."""
        if not self.options.enabled and job.accept is None:
            return lambda video: {}
        return lambda video: self.score(job, video)

    def score(self, job: Job, video: Path) -> Scores:
        """The scores of the video of `job`; empty where they cannot be had, which is told."""
        from standin_batch.scores.clip import score_video

        info = VideoInfo(job.width, job.height, job.num_frames, job.fps)
        try:
            with self._one, about(job):
                scores, _ = score_video(video, info, self.options.frames, self._person(job))
        except Exception as error:  # whatever it is, the video is made
            self._could_not(job, error)
            return {}
        return scores

    def _person(self, job: Job) -> Person | None:
        """Who the video should show; None where that is no person, or cannot be told from others."""
        from standin_batch.face.detect import EMBEDDER
        from standin_batch.scores.clip import Person

        if job.subject is None or job.subject.kind != "face":
            return None
        folder = self.files[job.model, job.weights[BASE]].detector
        if not (folder / EMBEDDER).is_file():
            self._warn_once(f"there is no {EMBEDDER} in {folder}: faces have no scores", "standin doctor")
            return None
        embedding = self._embedding(job, folder)
        return None if embedding is None else Person(embedding, self._detector(folder, _size(job)))

    def _embedding(self, job: Job, folder: Path) -> Embedding | None:
        """Of the largest face of the photograph; None where there is none, and the whole picture was taken."""
        from standin_batch.face.detect import DETECTION_SIZE
        from standin_batch.face.subject import NoFaceError
        from standin_batch.face.swap import embedding_of
        from standin_batch.media.image import open_image

        assert job.subject is not None
        key = (folder, job.subject.digest)
        if key not in self._people:
            try:
                photograph = open_image(job.subject.image)
                self._people[key] = embedding_of(photograph, self._detector(folder, DETECTION_SIZE))
            except NoFaceError:
                self._people[key] = None
        return self._people[key]

    def _detector(self, folder: Path, size: Size) -> Detector:
        from standin_batch.face.detect import InsightFaceDetector

        key = (folder, size)
        if key not in self._detectors:
            self._detectors[key] = InsightFaceDetector(folder, "cpu", with_embedding=True, size=size)
        return self._detectors[key]

    def _could_not(self, job: Job, error: Exception) -> None:
        with about(job):
            logger.warning("the video of %s could not be scored", job.label, exc_info=error)
        cure = f"standin dataset score {shlex.quote(str(self.layout.folder))}"
        self._warn_once(f"a video could not be scored: {error}", cure)

    def _warn_once(self, message: str, hint: str) -> None:
        if message not in self._told:
            self._told.add(message)
            self.emit(Warned(message, hint))


def _size(job: Job) -> Size:
    """What the frames of a video are brought to for the detector: none is enlarged, as faces are no clearer for it."""
    from standin_batch.face.detect import DETECTION_SIZE

    side = min(max(DETECTION_SIZE), -(-max(job.width, job.height) // CELL) * CELL)
    return side, side
