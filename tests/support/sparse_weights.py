"""A root with all that a 14B model uses, face models and all, and copies of it that cost nothing."""

from __future__ import annotations

import os
from pathlib import Path

from sparse import sparse_model

from standin_batch.weights.registry import ROWS
from standin_batch.weights.tiny_faces import write_face_models

ROW = ROWS["wan2.1-t2v-14b"]


def write_wan21(root: Path) -> Path:
    """A root that holds all of `wan2.1-t2v-14b`: 140 GB that take some megabytes of the disk."""
    sparse_model(root, ROW)
    write_face_models(root)
    return root


def linked(source: Path, target: Path) -> Path:
    """A tree of hard links: files may be replaced in it, and must not be written to."""
    for path in source.rglob("*"):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, place)
    return target
