"""Which weights are needed: for whole rows of the registry, or for just the jobs of a manifest. Policy; no files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from standin_batch.errors import UsageError
from standin_batch.weights.registry import ROWS, ModelRow
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
        base: whether its base is.
        modules: names of modules beside its base.
        adapters: whether identities are.
        faces: whether face models are.
    """

    row: ModelRow
    base: bool = True
    modules: tuple[str, ...] = ()
    adapters: bool = True
    faces: bool = True


def whole(row: ModelRow) -> Use:
    """Everything that a row can use."""
    return Use(row, modules=tuple(row.modules))


def names() -> tuple[str, ...]:
    """What can be asked for by name: rows that are downloaded, and their modules."""
    rows = [row for row in ROWS.values() if row.is_downloaded]
    return tuple(name for row in rows for name in (row.name, *(each.name for each in row.modules.values())))


def named(name: str) -> Use:
    """What is meant by the name of a row (without modules), or of a module (alone: it works beside a row's base).

    Raises:
        UsageError: if there is neither.
    """
    for row in ROWS.values():
        for module, each in row.modules.items():
            if each.name == name and row.is_downloaded:
                return Use(row, base=False, modules=(module,), adapters=False, faces=False)
    if name not in ROWS:
        near = get_close_matches(name, names(), n=1)
        raise UsageError(f"there is no model {name!r}", f"did you mean {near[0]}?" if near else ", ".join(names()))
    return Use(ROWS[name])


def needs(uses: Iterable[Use]) -> tuple[Need, ...]:
    """Every set of files that is needed, once, the largest things first as they are used; rows that are not
    downloaded need none."""
    found: dict[tuple[str, tuple[str, ...]], tuple[Source, FileSet, dict[str, None]]] = {}
    for use in uses:
        for source in _sources(use):
            for files in source.files:
                key = (source.repository or source.url, files.names)
                found.setdefault(key, (source, files, {}))[2][use.row.name] = None
    return tuple(Need(source, files, tuple(rows)) for source, files, rows in found.values())


def _sources(use: Use) -> Sequence[Source]:
    row = use.row
    if not row.is_downloaded:
        return ()
    return (
        *(row.sources if use.base else ()),
        *(row.modules[name].source for name in use.modules),
        *(row.adapters if use.adapters else ()),
        *((ANTELOPE, PARSER) if use.faces else ()),
    )
