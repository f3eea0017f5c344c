"""Prepared subject images: each made once, kept in the output folder by what decides it, loaded lazily."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from standin_batch.errors import StandinError
from standin_batch.face.checks import Finding, RefusedError
from standin_batch.files import replace_atomic
from standin_batch.job import Job, Subject
from standin_batch.output.subject_key import subject_key
from standin_batch.run.failure import FailureKind, kind_of
from standin_batch.weights.content import FACE
from standin_batch.weights.locate import FaceFiles
from standin_batch.weights.registry import ROWS

if TYPE_CHECKING:
    from PIL import Image

    from standin_batch.face.detect import Detector
    from standin_batch.face.models import FaceModels

CPU = "cpu"
"""Where subjects are prepared, whatever the run's device: so what `standin validate --faces` prepared is, to the bit,
what a run on a GPU would have."""


@dataclass
class Subjects:
    """The prepared subjects of one model.

    Attributes:
        folder: where prepared images are kept.
        files: of the face models.
        device: of the face models that modes ask for.
        refused: what preflight objects to, by the job's id.
        detector: gives one that is loaded already, on the CPU; two of them take the processor from each other.
    """

    folder: Path
    files: FaceFiles
    device: str
    refused: Mapping[str, Finding] = field(default_factory=dict)
    detector: Callable[[], Detector] | None = None
    _models: dict[tuple[str, bool], FaceModels] = field(default_factory=dict, repr=False)
    _failed: dict[str, StandinError] = field(default_factory=dict, repr=False)

    def image(self, job: Job) -> Image.Image:
        """The prepared subject of `job`: 512 x 512, RGB.

        Raises:
            StandinError: if the picture cannot be read or holds no face; the same identity fails the same way again.
        """
        from PIL import Image

        with Image.open(self.prepare(job)) as opened:
            return opened.convert("RGB")

    def prepare(self, job: Job) -> Path:
        """The file of the prepared subject of `job`, made unless it is there; raises as `image` does.

        Raises:
            RefusedError: if preflight objects to it.
        """
        if (finding := self.refused.get(job.job_id)) is not None:
            raise RefusedError.of(finding)
        key = _key(job)
        if key in self._failed:
            raise self._failed[key]
        path = self.folder / f"{key}.png"
        if not path.is_file():
            try:
                image = self._prepared(job)
            except StandinError as error:
                if kind_of(error) is FailureKind.INPUT:  # what may pass is looked at again
                    self._failed[key] = error
                raise
            with replace_atomic(path) as temporary:
                image.save(temporary, format="PNG")
        return path

    def _prepared(self, job: Job) -> Image.Image:
        from standin_batch.face.subject import NoFaceError, prepare_face, prepare_subject
        from standin_batch.media.image import open_image

        assert job.subject is not None
        image = open_image(job.subject.image)
        if job.subject.kind == "subject":
            return prepare_subject(image)
        detector, parser = self._loaded(CPU, with_embedding=False)
        try:
            return prepare_face(image, detector, parser, job.subject.on_no_face)
        except NoFaceError as error:
            raise _located(error, job.subject, job.model) from error

    def face_models(self) -> FaceModels:
        """Detector with embedder, and parser, as modes ask for them."""
        return self._loaded(self.device, with_embedding=True)

    def _loaded(self, device: str, with_embedding: bool) -> FaceModels:
        from standin_batch.face.detect import InsightFaceDetector
        from standin_batch.face.models import FaceModels
        from standin_batch.face.parse import BiSeNetParser

        key = (device, with_embedding)
        if key not in self._models:
            parsers = {known: models.parser for (known, _), models in self._models.items()}
            parser = parsers.get(device) or BiSeNetParser(self.files.parser, device)
            shared = self.detector if device == CPU else None
            detector = shared() if shared else InsightFaceDetector(self.files.detector, device, with_embedding)
            self._models[key] = FaceModels(detector, parser)
        return self._models[key]


def aside(model: str) -> str:
    """What a beginner on the tiny model cannot know, where no face was found."""
    made_here = ROWS[model].generator is not None
    return " (the tiny model's detector knows only the quick start's face)" if made_here else ""


def _located(error: StandinError, subject: Subject, model: str) -> StandinError:
    """The same error, naming the file."""
    return type(error)(f"{error.message} {subject.image}{aside(model)}", error.hint)


def _key(job: Job) -> str:
    assert job.subject is not None
    return subject_key(job.subject.fingerprint(), job.weights.get(FACE))
