"""What the weights of a model contain, as digests that go into the id of every job that they decide."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from standin_batch.digests import DigestCache
from standin_batch.fingerprint import digest
from standin_batch.weights.locate import WeightsMissing, is_made_here, locate, locate_faces
from standin_batch.weights.registry import ModelRow
from standin_batch.weights.stand_ins import source_sha256

BASE, ADAPTER, FACE, EMBEDDER = "base", "adapter", "face", "embedder"
MISSING = "missing/"
"""Begins the digest of weights that are not here."""


def weight_digests(
    row: ModelRow, checkpoints: Path | None, cache: DigestCache, modules: Collection[str] = ()
) -> Mapping[str, str]:
    """A digest each for the base model, the Stand-In adapters, the face models and the `modules` of `row`.

    Weights made on this machine count by their generator, so planning needs no files. Weights that are not here yet
    count by the name of their row: such jobs can be planned, and are to do.
    """
    parts = (BASE, ADAPTER, FACE, EMBEDDER, *modules)
    if is_made_here(row, checkpoints):
        return {part: _generated(row, part) for part in parts}
    try:
        files = locate(row, checkpoints, modules, cache)
    except WeightsMissing:
        return {part: f"{MISSING}{row.name}/{part}" for part in parts}
    return {
        BASE: _digest(files.base(), cache),
        ADAPTER: _digest((expert.adapter for expert in files.experts if expert.adapter), cache),
        FACE: _digest(files.face_models(), cache),
        EMBEDDER: _digest(files.embedders(), cache),
        **{name: _digest(shards, cache) for name, shards in files.modules.items()},
    }


def face_digest(row: ModelRow, checkpoints: Path | None, cache: DigestCache) -> str:
    """What `weight_digests` has for the face models, without looking at anything else: they are small."""
    if is_made_here(row, checkpoints):
        return _generated(row, FACE)
    return _digest(locate_faces(row, checkpoints).preparing(), cache)


def _generated(row: ModelRow, part: str) -> str:
    return f"{row.generator}/{row.name}/{part}"


def _digest(paths: Iterable[Path], cache: DigestCache) -> str:
    """Of contents in their order, never of names."""
    return digest([source_sha256(path, cache) for path in paths])
