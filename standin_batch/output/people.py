"""What tells the people of an output folder apart: the embedding of each photograph that was looked at, by its content.

So that a data set can keep one person in one split, also where two photographs, under two names, show that person. What
different face models say cannot be compared: each embedding is also by the models that it is from.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from standin_batch.face.checks import FaceChecks
from standin_batch.files import write_atomic
from standin_batch.fingerprint import digest
from standin_batch.output.layout import OutputLayout

Embedding = npt.NDArray[np.float32]
ALIKE = FaceChecks().same_person
"""The cosine of two embeddings from which they are one person's: preflight's, unless a manifest says otherwise."""
MODELS_LENGTH = 16
"""Hexadecimal digits of the face models in the name of a file."""


@dataclass(frozen=True)
class Picture:
    """A photograph as the face models of one model see it.

    Attributes:
        sha256: of the file.
        models: digest of the face models, as a job's weights have it; empty where they are not known.
    """

    sha256: str
    models: str


def keep_person(layout: OutputLayout, picture: Picture, embedding: Embedding) -> None:
    """Write down the embedding, `[512]`, of a photograph, unless just that is there."""
    path, text = _path(layout, picture), json.dumps([round(float(value), 6) for value in embedding]) + "\n"
    if not path.is_file() or path.read_text(errors="replace") != text:
        write_atomic(path, text)


def same_people(layout: OutputLayout, pictures: Collection[Picture]) -> tuple[tuple[str, str], ...]:
    """Pairs of photographs, by SHA-256, that show one person by the face models that looked at both.

    Args:
        layout: of the output folder.
        pictures: to compare; those that were never looked at are like nobody.
    """
    by_models: dict[str, set[str]] = defaultdict(set)
    for picture in pictures:
        by_models[picture.models].add(picture.sha256)
    return tuple(pair for models, theirs in sorted(by_models.items()) for pair in _alike(layout, models, theirs))


def unknown_people(layout: OutputLayout, pictures: Collection[Picture]) -> int:
    """How many of these photographs were never looked at, so that it is not known who else they show."""
    known = {picture.sha256 for picture in pictures if _read(layout, picture) is not None}
    return len({picture.sha256 for picture in pictures} - known)


def _alike(layout: OutputLayout, models: str, pictures: Collection[str]) -> Iterator[tuple[str, str]]:
    read = {sha256: _read(layout, Picture(sha256, models)) for sha256 in sorted(pictures)}
    known = {sha256: found for sha256, found in read.items() if found is not None}
    names, vectors = list(known), _units(known.values())
    for one, other in np.argwhere(np.triu(vectors @ vectors.T >= ALIKE, 1)):
        yield names[one], names[other]


def _path(layout: OutputLayout, picture: Picture) -> Path:
    return layout.people / f"{picture.sha256}-{digest(picture.models)[:MODELS_LENGTH]}.json"


def _read(layout: OutputLayout, picture: Picture) -> Embedding | None:
    """An embedding; None where there is none, or what is there is none."""
    try:
        found = np.asarray(json.loads(_path(layout, picture).read_bytes()), np.float32)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return found if found.ndim == 1 and found.size and np.isfinite(found).all() else None


def _units(vectors: Iterable[Embedding]) -> npt.NDArray[np.float32]:
    """All as one matrix, each of length 1; of several sizes, as models differ, those like the first."""
    found = list(vectors)
    if not found:
        return np.zeros((0, 0), np.float32)
    size = found[0].size
    rows = np.stack([one if one.size == size else np.zeros(size, np.float32) for one in found])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
