"""Which weights are needed: for whole rows of the registry, or for just the jobs of a manifest. Policy; no files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from standin_batch.weights.registry import ModelRow
from standin_batch.weights.sources import ANTELOPE, PARSER, FileSet, Source


@dataclass(frozen=True)
class Need:
    """A set of files that is needed.

    Attributes:
        source: where they come from.
        files: of it.
        used_by: names of the rows that need them, in order.
    """

    source: Source
    files: FileSet
    used_by: tuple[str, ...]


@dataclass(frozen=True)
class Use:
    """What is used of a row.

    Attributes:
        row: the row.
        modules: names of modules beside its base.
        adapters: whether identities are.
        faces: whether face models are.
    """

    row: ModelRow
    modules: tuple[str, ...] = ()
    adapters: bool = True
    faces: bool = True


def whole(row: ModelRow) -> Use:
    """Everything that a row can use."""
    return Use(row, tuple(row.modules))


def needs(uses: Iterable[Use]) -> tuple[Need, ...]:
    """Every set of files that is needed, once, the largest things first as they are used; made rows need none."""
    found: dict[tuple[str, tuple[str, ...]], tuple[Source, FileSet, dict[str, None]]] = {}
    for use in uses:
        for source in _sources(use):
            for files in source.files:
                key = (source.repository or source.url, files.names)
                found.setdefault(key, (source, files, {}))[2][use.row.name] = None
    return tuple(Need(source, files, tuple(rows)) for source, files, rows in found.values())


def _sources(use: Use) -> Sequence[Source]:
    row = use.row
    if row.generator is not None:
        return ()
    return (
        *row.sources,
        *(row.modules[name].source for name in use.modules),
        *(row.adapters if use.adapters else ()),
        *((ANTELOPE, PARSER) if use.faces else ()),
    )
