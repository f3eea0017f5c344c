"""Where the faces are: boxes, landmarks and, when asked, identity embeddings."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from standin_batch.errors import NotReadyError
from standin_batch.hushed import hushed

DETECTION_SIZE = (640, 640)
CELL = 32
"""The detector's sizes are multiples of it."""
DETECTION_THRESHOLD = 0.5
EMBEDDER = "glintr100.onnx"
"""ArcFace's file in the pack."""

Box = tuple[float, float, float, float]
Landmarks = tuple[tuple[float, float], ...]
Provider = str | tuple[str, dict[str, int]]


class FaceModelsMissing(NotReadyError):
    """The face models are not where they should be, or cannot be used."""


@dataclass(frozen=True)
class Face:
    """One face in an image.

    Attributes:
        box: left, top, right, bottom in pixels; may reach beyond the image.
        landmarks: five (x, y): the eyes, the tip of the nose, the corners of the mouth; the image's left ones first.
        score: how sure the detector is, 0..1.
        embedding: what tells this person from others, `[512]` float32, any length; None unless asked for.
    """

    box: Box
    landmarks: Landmarks
    score: float
    embedding: npt.NDArray[np.float32] | None = field(default=None, compare=False, repr=False)

    @property
    def area(self) -> float:
        """Of the box, in pixels."""
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)


class Detector(Protocol):
    """Whatever finds faces."""

    def detect(self, image_bgr: npt.NDArray[np.uint8]) -> list[Face]:
        """The faces in `image_bgr`, `[H, W, 3]` in OpenCV's order of colours."""
        ...


def fitting(width: int, height: int) -> tuple[int, int]:
    """The detector's size for frames of a video: none is enlarged, as faces are no clearer for it."""
    side = min(max(DETECTION_SIZE), -(-max(width, height) // CELL) * CELL)
    return side, side


def largest(faces: Sequence[Face]) -> Face | None:
    """The face with the largest box; None if there is none."""
    return max(faces, key=lambda face: face.area, default=None)


class InsightFaceDetector:
    """Insightface's SCRFD detector, with its ArcFace embedder if asked (the model pack `antelopev2`)."""

    def __init__(
        self, folder: Path, device: str, with_embedding: bool = False, size: tuple[int, int] = DETECTION_SIZE
    ) -> None:
        """Load the models.

        Args:
            folder: holds the pack's `.onnx` files, directly.
            device: `cpu`, `cuda` or `cuda:N`.
            with_embedding: also give each face its embedding.
            size: width and height that images are brought to for the detector, multiples of 32.

        Raises:
            FaceModelsMissing: if the folder holds no models, or not the ones asked for.
        """
        require_models(folder)
        self._size = size
        modules = ["detection", "recognition"] if with_embedding else ["detection"]
        with hushed():
            self._analysis = _load(folder, modules, device)
            self._analysis.prepare(ctx_id=0, det_thresh=DETECTION_THRESHOLD, det_size=size)

    def detect(self, image_bgr: npt.NDArray[np.uint8]) -> list[Face]:
        """The faces in `image_bgr` (uint8, `[H, W, 3]`, BGR), surest first."""
        if min(image_bgr.shape[:2]) * min(self._size) < max(image_bgr.shape[:2]):
            return []  # a strip that scaling to the detector's size would leave without any pixel
        with hushed():
            return [_face(found) for found in self._analysis.get(image_bgr)]


def _load(folder: Path, modules: list[str], device: str) -> Any:  # noqa: ANN401
    from insightface.app import FaceAnalysis

    hint = f"delete {folder} and {_get_them(folder)}"
    try:
        analysis = FaceAnalysis(name=str(folder.resolve()), allowed_modules=modules, providers=_providers(device))
    except Exception as error:
        # insightface asserts, onnx and onnxruntime raise classes of their own: all mean that the files are no use.
        reason = str(error) or "there is no detector among them"
        raise FaceModelsMissing(f"the face models in {folder} cannot be loaded: {reason}", hint) from error
    if missing := [module for module in modules if module not in analysis.models]:
        raise FaceModelsMissing(f"there is no face {missing[0]} model in {folder}", hint)
    return analysis


def require_models(folder: Path) -> None:
    """Look whether there are models in `folder`: insightface takes a name that is no folder as a request to download.

    Raises:
        FaceModelsMissing: saying what to put or move there.
    """
    if any(folder.glob("*.onnx")):
        return
    nested = sorted({path.parent for path in folder.glob("*/*.onnx")})
    if nested:
        move = f"mv {shlex.quote(str(nested[0]))}/*.onnx {shlex.quote(str(folder))}/"
        raise FaceModelsMissing(f"the face models are one folder too deep, in {nested[0]}", move)
    raise FaceModelsMissing(
        f"there are no face models (*.onnx) in {folder}",
        f"{_get_them(folder)}, or use `kind: subject` for identities that are no faces",
    )


def require_embedder(folder: Path) -> None:
    """Look whether there is what tells one person from another.

    Raises:
        FaceModelsMissing: saying what to put there.
    """
    if not any(folder.glob(EMBEDDER)):
        raise FaceModelsMissing(
            f"there is no face embedder ({EMBEDDER}) in {folder}",
            f"put {EMBEDDER} of DIAMONIK7777/antelopev2 (Hugging Face hub) into {folder}",
        )


def _get_them(folder: Path) -> str:
    return f"put the .onnx files of DIAMONIK7777/antelopev2 (Hugging Face hub) into {folder}"


def _providers(device: str) -> list[Provider]:
    """What onnxruntime is asked to run on, in order of preference."""
    import onnxruntime

    name, _, index = device.partition(":")
    if name == "cuda" and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        return [("CUDAExecutionProvider", {"device_id": int(index or 0)}), "CPUExecutionProvider"]
    return ["CPUExecutionProvider"]


def _face(found: Any) -> Face:  # noqa: ANN401
    left, top, right, bottom = (float(value) for value in found.bbox)
    return Face(
        box=(left, top, right, bottom),
        landmarks=tuple((float(x), float(y)) for x, y in found.kps),
        score=float(found.det_score),
        embedding=found.embedding,
    )
