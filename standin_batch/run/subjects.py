"""Prepared subject images: each made once, kept in the output folder by what decides it, loaded lazily."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from standin_batch.errors import StandinError
from standin_batch.files import replace_atomic
from standin_batch.fingerprint import digest
from standin_batch.job import Job
from standin_batch.weights.content import FACE
from standin_batch.weights.locate import ModelFiles

if TYPE_CHECKING:
    from PIL import Image

    from standin_batch.face.detect import Detector
    from standin_batch.face.parse import Parser

PREPARATION = 1
"""Raised when the same image and options come to be prepared in another way."""


@dataclass
class Subjects:
    """The prepared subjects of one model.

    Attributes:
        folder: where prepared images are kept.
        files: of the model, for its face models.
        device: of the face models.
    """

    folder: Path
    files: ModelFiles
    device: str
    _models: tuple[Detector, Parser] | None = field(default=None, repr=False)
    _failed: dict[str, StandinError] = field(default_factory=dict, repr=False)

    def image(self, job: Job) -> Image.Image:
        """The prepared subject of `job`: 512 x 512, RGB.

        Raises:
            SubjectError: if the image cannot be read or holds no face; the same identity fails the same way again.
        """
        from PIL import Image

        key = _key(job)
        if key in self._failed:
            raise self._failed[key]
        path = self.folder / f"{key}.png"
        if not path.is_file():
            try:
                image = self._prepare(job)
            except StandinError as error:
                self._failed[key] = error
                raise
            with replace_atomic(path) as temporary:
                image.save(temporary, format="PNG")
        with Image.open(path) as opened:
            return opened.convert("RGB")

    def _prepare(self, job: Job) -> Image.Image:
        from standin_batch.face.subject import open_image, prepare_face, prepare_subject

        assert job.subject is not None
        image = open_image(job.subject.image)
        if job.subject.kind == "subject":
            return prepare_subject(image)
        detector, parser = self._face_models()
        return prepare_face(image, detector, parser, job.subject.on_no_face)

    def _face_models(self) -> tuple[Detector, Parser]:
        from standin_batch.face.detect import InsightFaceDetector
        from standin_batch.face.parse import BiSeNetParser

        if self._models is None:
            detector = InsightFaceDetector(self.files.detector, self.device)
            self._models = detector, BiSeNetParser(self.files.parser, self.device)
        return self._models


def _key(job: Job) -> str:
    assert job.subject is not None
    return digest([PREPARATION, job.subject.fingerprint(), job.weights.get(FACE)])[:16]
