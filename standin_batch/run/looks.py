"""Photographs and videos looked at on the CPU: each content once, and remembered between runs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from standin_batch.digests import DigestCache, cache_folder
from standin_batch.face.detect import Detector, Face, InsightFaceDetector
from standin_batch.face.footage import Footage
from standin_batch.face.portrait import Likeness, Portrait, look_at
from standin_batch.face.pose import Pose
from standin_batch.face.subject import NoFaceError
from standin_batch.face.swap import embedding_of
from standin_batch.face.track import tracks
from standin_batch.job import InputFile, Job
from standin_batch.media.clip import sample_clip
from standin_batch.media.image import open_image
from standin_batch.modes import MODES
from standin_batch.weights.locate import FaceFiles

PORTRAIT, FOOTAGE = "portrait 1", "footage 3"
"""What is remembered; another number when the same file comes to be measured in another way."""

SAMPLES = 16
"""Frames of a video that are looked at."""


def default_cache() -> DigestCache:
    """Where this user's looks are remembered: beside the digests, which every command reads and these would slow."""
    return DigestCache(cache_folder() / "faces.jsonl")


@dataclass
class Looks:
    """What the face models of one model see.

    Attributes:
        files: of the face models.
        cache: remembers between runs.
    """

    files: FaceFiles
    cache: DigestCache = field(default_factory=default_cache)
    _detector: Detector | None = field(default=None, repr=False)

    @property
    def tells_apart(self) -> bool:
        """Whether there is an embedder."""
        return bool(self.files.embedders())

    def portrait(self, path: Path) -> Portrait:
        """What is found in the photograph at `path`.

        Raises:
            ImageError: if it cannot be read.
            FaceModelsMissing: if the face models cannot be loaded.
            OSError: if the file cannot be read.
        """
        told = self._remembered(PORTRAIT, [path], lambda: _written(look_at(open_image(path), self.detector)))
        return _read(told)

    def footage(self, job: Job) -> Footage:
        """What is found in the video in which the mode of `job` looks for faces, as far as the job uses it.

        Raises:
            VideoInputError, ImageError: if it, or the photograph of who is meant, cannot be read.
            FaceModelsMissing: if the face models cannot be loaded.
            OSError: if a file cannot be read.
        """
        video, wanted = watched(job), meant(job)
        assert video is not None
        paths = [video.path, *([] if wanted is None else [wanted.path])]
        what = f"{FOOTAGE} {job.width}x{job.height}x{job.num_frames} {job.fps:g} {SAMPLES} {wanted is not None}"
        told = self._remembered(what, paths, lambda: asdict(self._watch(job, video, wanted)))
        names = {"name": video.path.name, "wanted": "" if wanted is None else wanted.path.name}
        return Footage(**{**told, **names})

    @property
    def detector(self) -> Detector:
        """Loaded when first asked for; with embedder where there is one."""
        if self._detector is None:
            self._detector = InsightFaceDetector(self.files.detector, "cpu", with_embedding=self.tells_apart)
        return self._detector

    def _remembered(self, what: str, paths: list[Path], look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            self.cache.of_several(what, [*paths, *self.files.looking()], lambda: json.dumps(look()))
        )
        return found

    def _watch(self, job: Job, video: InputFile, wanted: InputFile | None) -> Footage:
        frames = [self.detector.detect(np.ascontiguousarray(frame[..., ::-1])) for frame in _frames(job, video)]
        unusable, likeness = "", None
        if wanted is not None and self.tells_apart:
            unusable, likeness = self._likeness(frames, wanted.path)
        with_face = sum(bool(faces) for faces in frames)
        return Footage(
            name=video.path.name,
            sampled=len(frames),
            with_face=with_face,
            most=max(map(len, frames)),
            unusable=unusable,
            likeness=likeness,
        )

    def _likeness(self, frames: list[list[Face]], photograph: Path) -> tuple[str, float | None]:
        try:
            embedding = embedding_of(open_image(photograph), self.detector)
        except NoFaceError:
            return "no face was found there", None
        found = [track.likeness(embedding) for track in tracks(frames)]
        return "", max((each for each in found if each is not None), default=None)


def watched(job: Job) -> InputFile | None:
    """The video in which the mode of `job` looks for faces; None if it does not."""
    mode = MODES[job.mode]
    return job.files.get(mode.faces_in) if mode.faces_in and mode.reads_faces(job.params) else None


def meant(job: Job) -> InputFile | None:
    """The photograph of who is meant there; None without one."""
    key = MODES[job.mode].face_like
    return job.files.get(key) if key else None


def _frames(job: Job, video: InputFile) -> Iterator[npt.NDArray[np.uint8]]:
    assert video.video is not None
    return sample_clip(video.path, video.video, job.width, job.height, job.num_frames, job.fps, SAMPLES)


def _written(portrait: Portrait) -> dict[str, Any]:
    """A portrait in types that JSON has."""
    return {
        **{key: getattr(portrait, key) for key in ("width", "height")},
        "faces": [_written_face(face) for face in portrait.faces],
        "likeness": None if portrait.likeness is None else asdict(portrait.likeness),
    }


def _read(told: Mapping[str, Any]) -> Portrait:
    likeness = told["likeness"]
    return Portrait(
        width=told["width"],
        height=told["height"],
        faces=tuple(_read_face(face) for face in told["faces"]),
        likeness=None if likeness is None else Likeness(**{**likeness, "pose": Pose(*likeness["pose"])}),
    )


def _written_face(face: Face) -> dict[str, Any]:
    embedding = None if face.embedding is None else base64.b64encode(face.embedding.astype("<f4").tobytes()).decode()
    return {"box": face.box, "landmarks": face.landmarks, "score": face.score, "embedding": embedding}


def _read_face(told: Mapping[str, Any]) -> Face:
    embedding = told["embedding"]
    return Face(
        box=tuple(told["box"]),
        landmarks=tuple((x, y) for x, y in told["landmarks"]),
        score=told["score"],
        embedding=None if embedding is None else np.frombuffer(base64.b64decode(embedding), "<f4"),
    )
