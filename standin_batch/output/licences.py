"""Which licences the weights are under that had a part in clips, by the digests that their records name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from standin_batch.weights import sources
from standin_batch.weights.content import ADAPTER, BASE, EMBEDDER, FACE
from standin_batch.weights.registry import ROWS, ModelRow
from standin_batch.weights.sources import Source

UNKNOWN = "unknown"

SCORING = "face similarity"
"""Part of weights that only looked at finished clips."""


@dataclass(frozen=True, order=True)
class Used:
    """Weights that had a part in clips.

    Attributes:
        what: name for people.
        licence: of the weights.
        page: where a person can look at them; empty of those that are the project's own.
        part: that they had.
        digest: of their content.
    """

    what: str
    licence: str
    page: str
    part: str
    digest: str


def weights_used(clips: Iterable[tuple[str, Mapping[str, str]]], scored: bool = False) -> tuple[Used, ...]:
    """The weights of each model, once.

    Args:
        clips: model of each and digests of its weights by what they are.
        scored: whether faces in finished clips were compared, which the embedder does.
    """
    known = [(model, part, str(sha)) for model, weights in clips for part, sha in weights.items()]
    found = {used for each in known for used in _used(*each)}
    if scored and not all(_is_ours(*each) for each in known) and not any(it.part == EMBEDDER for it in found):
        found |= set(_of(sources.ANTELOPE, SCORING, ""))
    return tuple(sorted(found, key=lambda used: (used.what, used.part, used.digest)))


def _used(model: str, part: str, sha: str) -> Iterator[Used]:
    row = ROWS.get(model)
    if row is None:
        yield Used(model, UNKNOWN, "", part, sha)
    elif _is_made_here(row, sha):
        yield Used(f"{model}: random weights, made from a seed", row.licence, "", part, sha)
    elif row.digests.get(part) == sha:
        yield Used(f"{model}: comes with standin_batch", row.licence, "", part, sha)
    elif row.is_in_repository and part not in (FACE, EMBEDDER):
        yield Used(f"{model}: weights of your own", UNKNOWN, "", part, sha)
    else:
        for source in _sources(row, part):
            yield from _of(source, part, sha)


def _is_ours(model: str, part: str, sha: str) -> bool:
    """Whether weights are this project's, so that what compares faces is as well."""
    row = ROWS.get(model)
    return row is not None and (_is_made_here(row, sha) or row.digests.get(part) == sha)


def _is_made_here(row: ModelRow, sha: str) -> bool:
    return row.generator is not None and sha.startswith(row.generator)


def _sources(row: ModelRow, part: str) -> tuple[Source, ...]:
    by_part = {
        BASE: row.sources,
        ADAPTER: row.adapters,
        FACE: (sources.ANTELOPE, sources.PARSER),
        EMBEDDER: (sources.ANTELOPE,),
        **{name: (module.source,) for name, module in row.modules.items()},
    }
    return by_part.get(part, ())


def _of(source: Source, part: str, sha: str) -> Iterator[Used]:
    yield Used(source.name, source.licence, source.page, part, sha)
