"""A folder of photographs: which files in it are pictures, in the order of people, and which of them show a face."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from standin_batch.errors import UsageError
from standin_batch.face.detect import Detector, InsightFaceDetector
from standin_batch.media.image import ImageError, open_image, rgb_on_white
from standin_batch.weights.folders import folder_of
from standin_batch.weights.locate import DETECTOR, is_made_here, root_of
from standin_batch.weights.registry import ROWS
from standin_batch.weights.sources import ANTELOPE

SUFFIXES = frozenset(
    (
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"),
        *(".heic", ".heics", ".heif", ".heifs", ".hif", ".avif", ".avifs"),
        *(".jp2", ".jpx", ".jpf", ".j2k", ".j2c", ".jpc", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
        *(".tga", ".icb", ".vda", ".vst", ".psd", ".qoi"),
    )
)
"""What of a folder is taken for a picture; of a file that somebody names, the content alone counts."""


@dataclass(frozen=True)
class Photograph:
    """A picture that can be used.

    Attributes:
        path: as it was found.
        has_face: whether a face was found in it; None if nobody looked.
    """

    path: Path
    has_face: bool | None


@dataclass(frozen=True)
class LeftOut:
    """A file that cannot be used.

    Attributes:
        path: as it was found.
        why: in a few words.
    """

    path: Path
    why: str


def found_in(places: Sequence[Path]) -> tuple[list[Path], list[LeftOut]]:
    """The files that may be pictures, each once, and those in folders that are none by their names.

    Args:
        places: folders, whose hidden files and own folders are passed over, and files.

    Raises:
        UsageError: if one is not there, or a folder cannot be read.
    """
    pictures: dict[Path, None] = {}
    others: list[LeftOut] = []
    for place in places:
        if not place.is_dir():
            if not place.exists():
                raise UsageError(f"there is no {place}", "name a folder of photographs, or the files themselves")
            pictures[place] = None
            continue
        for path in _listed(place):
            if path.suffix.lower() in SUFFIXES:
                pictures[path] = None
            else:
                others.append(LeftOut(path, "no picture"))
    return list(pictures), others


def looked_at(
    paths: Sequence[Path], detector: Detector | None, passing: Callable[[Path], object] = lambda _: None
) -> tuple[list[Photograph], list[LeftOut]]:
    """Those that can be opened, and whether they show a face.

    Args:
        paths: files.
        detector: finds faces; None not to look for any.
        passing: is told each file before it is opened.
    """
    usable: list[Photograph] = []
    broken: list[LeftOut] = []
    for path in paths:
        passing(path)
        try:
            _check_name(path)
            usable.append(Photograph(path, _has_face(path, detector)))
        except ImageError as error:
            broken.append(LeftOut(path, error.message.replace(str(path), "it")))
        except OSError as error:
            broken.append(LeftOut(path, (error.strerror or str(error)).lower()))
    return usable, broken


@contextmanager
def detecting(model: str, checkpoints: Path | None) -> Iterator[Detector | None]:
    """Within the block, the face detector of a model, on the CPU, if its files are here; nothing is downloaded.

    Raises:
        FaceModelsMissing: if they are here, but cannot be loaded.
    """
    row = ROWS[model]
    folder = folder_of(root_of(row, checkpoints), DETECTOR, ANTELOPE if row.sources else None)
    if any(folder.glob("*.onnx")):
        yield InsightFaceDetector(folder, "cpu")
    elif is_made_here(row, checkpoints):
        from standin_batch.weights.tiny_faces import write_detector

        # The whole model is made by the first run; this part of it takes no torch, and a moment. Insightface reads it
        # again with the first picture.
        with TemporaryDirectory(prefix="standin-init-") as temporary:
            write_detector(Path(temporary))
            yield InsightFaceDetector(Path(temporary), "cpu")
    else:
        yield None


def _listed(folder: Path) -> list[Path]:
    try:
        found = [path for path in folder.iterdir() if path.name[0] != "." and path.is_file()]
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}", "check its permissions") from error
    return sorted(found, key=lambda path: _natural(path.name))


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """As people sort: `2.jpg` before `10.jpg`, and capitals among the rest."""
    parts = re.split(r"([0-9]{1,20})", name.casefold())
    return [(int(part), "") if place % 2 else (-1, part) for place, part in enumerate(parts)], name


def _check_name(path: Path) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ImageError(f"{path} has a name that is no text, which a manifest cannot hold; rename it") from None


def _has_face(path: Path, detector: Detector | None) -> bool | None:
    image = open_image(path)
    if detector is None:
        return None
    return bool(detector.detect(np.ascontiguousarray(rgb_on_white(image)[..., ::-1])))
