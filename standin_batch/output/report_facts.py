"""What a report tells of an output folder, read from its records."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from standin_batch.output.counted import NO_LORA, NOBODY
from standin_batch.output.failed import FailedJob
from standin_batch.output.index import read_index
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import has_video, read_records
from standin_batch.output.summary import Summary, summarise
from standin_batch.speed import EXACT

if TYPE_CHECKING:
    import pyarrow as pa

RANKING = ("face_similarity", "sharpness")
"""Scores that the best and worst clips are told by: the first that there is."""

RANKED_CLIPS = 5
"""Best clips, and worst."""


@dataclass(frozen=True)
class Clip:
    """A clip that a report names.

    Attributes:
        label: how it is called for people.
        video: path below the output folder.
        value: of the score that it is named for; None without one.
    """

    label: str
    video: str
    value: float | None = None


@dataclass(frozen=True)
class Facts:
    """What a report tells.

    Attributes:
        name: of the output folder.
        summary: of all clips and failures.
        ranked_by: the score that clips are ranked by; empty without scores.
        best: clips with the highest values of it that are not rejected, best first.
        worst: those with the lowest, worst first.
        by_identity: values of that score by identity, of clips that are not rejected.
        by_loras: the same by set of LoRAs.
        near_duplicates: clips that look like another one, with that one.
        versions: of the software, as name and version.
        devices: as torch names them.
        first: when the first clip was finished; None without clips.
        last: when the last one was.
    """

    name: str
    summary: Summary
    ranked_by: str
    best: tuple[Clip, ...]
    worst: tuple[Clip, ...]
    by_identity: Mapping[str, Sequence[float]]
    by_loras: Mapping[str, Sequence[float]]
    near_duplicates: tuple[tuple[Clip, Clip], ...]
    versions: tuple[str, ...]
    devices: tuple[str, ...]
    first: datetime | None
    last: datetime | None


def read_facts(layout: OutputLayout, failures: Iterable[FailedJob]) -> Facts:
    """Read the records of `layout`; what has failed is told by the caller, who knows the journals."""
    summary = summarise((record for record in read_records(layout) if _was_made(layout, record)), failures)
    table = read_index(layout)
    score = next((name for name in RANKING if table[name].null_count < table.num_rows), "")
    ranked = _ranked(table, score) if score else []
    versions = {f"{name} {it}" for text in _distinct(table, "versions") for name, it in json.loads(text).items()}
    times = sorted(it for it in table["finished_at"].to_pylist() if it is not None)
    return Facts(
        name=layout.folder.resolve().name,
        summary=summary,
        ranked_by=score,
        best=tuple(_clip(row, row[score]) for row in ranked[: -RANKED_CLIPS - 1 : -1]),
        worst=tuple(_clip(row, row[score]) for row in ranked[:RANKED_CLIPS]),
        by_identity=_values(ranked, score, _identity),
        by_loras=_values(ranked, score, _loras),
        near_duplicates=tuple(_pairs(table)),
        versions=tuple(sorted(versions)),
        devices=tuple(_distinct(table, "device")),
        first=times[0] if times else None,
        last=times[-1] if times else None,
    )


def _was_made(layout: OutputLayout, record: Mapping[str, Any]) -> bool:
    """Whether there is its clip, or was one that its job did not take: `rejected: drop` removes those."""
    return record.get("accepted") is False or has_video(layout, record)


_LABELLED = ("job_id", "name", "identity", "prompt_name", "loras", "lora_scales", "speed", "seed", "file_name")


def _ranked(table: pa.Table, score: str) -> list[dict[str, Any]]:
    """Clips that are not rejected and have the score, the lowest first."""
    rows = table.select([*_LABELLED, "accepted", score]).to_pylist()
    taken = (row for row in rows if row["accepted"] is not False and row[score] is not None)
    return sorted(taken, key=lambda row: (row[score], row["job_id"]))


def _values(
    rows: Iterable[Mapping[str, Any]], score: str, group: Callable[[Mapping[str, Any]], str]
) -> dict[str, list[float]]:
    """The values of each group, those with the lowest median first."""
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(group(row), []).append(row[score])
    return dict(sorted(found.items(), key=lambda it: (it[1][len(it[1]) // 2], it[0])))


def _identity(row: Mapping[str, Any]) -> str:
    return row["identity"] or NOBODY


def _loras(row: Mapping[str, Any]) -> str:
    pairs = zip(row["loras"] or (), row["lora_scales"] or (), strict=False)
    return " + ".join(f"{name} {scale:g}" for name, scale in pairs) or NO_LORA


def _clip(row: Mapping[str, Any], value: float | None = None) -> Clip:
    loras = [] if _loras(row) == NO_LORA else [_loras(row)]
    speed = [] if row["speed"] in (None, str(EXACT)) else [row["speed"]]
    parts = [row["name"], _identity(row), row["prompt_name"], *loras, *speed, f"seed {row['seed']}"]
    return Clip(" · ".join(map(str, parts)), row["file_name"] or "", value)


def _pairs(table: pa.Table) -> Iterator[tuple[Clip, Clip]]:
    likes = table["near_duplicate_of"].to_pylist()
    if not any(likes):
        return
    rows = {row["job_id"]: row for row in table.select(list(_LABELLED)).to_pylist()}
    for row, like in zip(rows.values(), likes, strict=True):
        if like is not None:
            yield _clip(row), _clip(rows[like])


def _distinct(table: pa.Table, name: str) -> list[str]:
    return sorted({it for it in table[name].to_pylist() if it is not None})
