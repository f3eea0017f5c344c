"""What tells the people of an output folder apart: the embedding of each photograph that was looked at, by its content.

So that a data set can keep one person in one split, also where two photographs, under two names, show that person.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

import numpy as np
import numpy.typing as npt

from standin_batch.face.checks import FaceChecks
from standin_batch.files import write_atomic
from standin_batch.output.layout import OutputLayout

Embedding = npt.NDArray[np.float32]
ALIKE = FaceChecks().same_person
"""The cosine of two embeddings from which they are one person's: preflight's, unless a manifest says otherwise."""


def keep_person(layout: OutputLayout, sha256: str, embedding: Embedding) -> None:
    """Write down the embedding, `[512]`, of the photograph with this content, unless it is."""
    path = layout.people / f"{sha256}.json"
    if not path.is_file():
        write_atomic(path, json.dumps([round(float(value), 6) for value in embedding]) + "\n")


def same_people(layout: OutputLayout, pictures: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of photographs, by SHA-256, that show one person.

    Args:
        layout: of the output folder.
        pictures: to compare; those that were never looked at are like nobody.
    """
    known = {sha256: found for sha256 in sorted(pictures) if (found := _read(layout, sha256)) is not None}
    names, vectors = list(known), _units(known.values())
    if not names:
        return ()
    alike = np.argwhere(np.triu(vectors @ vectors.T >= ALIKE, 1))
    return tuple((names[one], names[other]) for one, other in alike)


def unknown_people(layout: OutputLayout, pictures: Collection[str]) -> int:
    """How many of these photographs were never looked at, so that it is not known who else they show."""
    return sum(_read(layout, sha256) is None for sha256 in pictures)


def _read(layout: OutputLayout, sha256: str) -> Embedding | None:
    """An embedding; None where there is none, or what is there is none."""
    try:
        found = np.asarray(json.loads((layout.people / f"{sha256}.json").read_bytes()), np.float32)
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
