"""The columns of the index: what each is called, of which type it is, and how it comes from a record."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from operator import itemgetter
from typing import Any

from standin_batch.scores.table import SCORES

Cell = Callable[[Any], Any]


@dataclass(frozen=True)
class Column:
    """A column of `index.parquet`.

    Attributes:
        name: of the column.
        kind: of its values, a key of `KINDS`; any value may be null.
        about: what it says.
        field: of the record that it is made from; the one of its name unless said.
        part: takes from that field what the column holds.
        derived: whether it is made from all records together, so that none of them has it.
    """

    name: str
    kind: str
    about: str
    field: str = ""
    part: Cell | None = None
    derived: bool = False

    def cell(self, record: Mapping[str, Any]) -> object:
        """The value of a record in this column; null where the record has none of this kind."""
        value = record.get(self.field or self.name)
        if value is not None and self.part is not None:
            try:
                value = self.part(value)
            except (TypeError, KeyError, AttributeError):
                return None
        return None if value is None else _CELLS[self.kind](value)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def _is_number(value: object) -> bool:
    return isinstance(value, float) or _is_int(value)


def _list(check: Callable[[object], bool]) -> Cell:
    return lambda value: list(value) if isinstance(value, list) and all(map(check, value)) else None


def _time(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def _text(value: object) -> str | None:
    if not isinstance(value, str) or value.isascii():
        return value if isinstance(value, str) else None
    return value.encode("utf-8", "replace").decode()  # a lone surrogate is a text in JSON, but not in UTF-8


_CELLS: dict[str, Cell] = {
    "text": _text,
    "integer": lambda value: value if _is_int(value) else None,
    "number": lambda value: float(value) if _is_number(value) else None,
    "boolean": lambda value: value if isinstance(value, bool) else None,
    "numbers": _list(_is_number),
    "texts": _list(lambda value: isinstance(value, str)),
    "time": _time,
    "json": lambda value: json.dumps(value, sort_keys=True),
}

KINDS = {
    "text": "string",
    "integer": "int64",
    "number": "double",
    "boolean": "bool",
    "numbers": "list<double>",
    "texts": "list<string>",
    "time": "timestamp[ms, UTC]",
    "json": "string, JSON",
}
"""What the kinds of columns are called in the documentation."""

COLUMNS = (
    Column("job_id", "text", "Id of the job: 16 hexadecimal digits."),
    Column("file_name", "text", "Path of the video below the output folder.", "video"),
    Column("name", "text", "Name of the job in the manifest."),
    Column("also", "texts", "Names of further jobs that are this same video."),
    Column("manifest", "text", "Name of the manifest."),
    Column("model", "text", "Row of the weights registry."),
    Column("mode", "text", "Mode of generation."),
    Column("prompt_name", "text", "Name of the prompt in the manifest, or its file and line."),
    Column("prompt", "text", "The prompt."),
    Column("negative_prompt", "text", "What should not be seen."),
    Column("identity", "text", "Name of the identity; null without one."),
    Column("identity_kind", "text", "`face` or `subject`; null without identity."),
    Column("identity_sha256", "text", "SHA-256 of the identity's image; null without identity."),
    Column("identity_on_no_face", "text", "What was to be done if the image held no face; null without identity."),
    Column("loras", "texts", "Names of the LoRAs, in order.", part=lambda loras: [it["name"] for it in loras]),
    Column("lora_scales", "numbers", "Their scales.", "loras", lambda loras: [it["scale"] for it in loras]),
    Column(
        "lora_sha256",
        "json",
        "SHA-256 of their files by expert, as JSON.",
        "loras",
        lambda loras: [it["files"] for it in loras],
    ),
    Column("seed", "integer", "Seed of the noise."),
    Column("width", "integer", "Pixels."),
    Column("height", "integer", "Pixels."),
    Column("num_frames", "integer", "Frames."),
    Column("fps", "number", "Frames per second."),
    Column("num_inference_steps", "integer", "Denoising steps."),
    Column("cfg_scale", "numbers", "Guidance of each expert, from high noise to low."),
    Column("sigma_shift", "number", "Shift of the noise schedule."),
    Column("boundary", "number", "Below this share of the timesteps the low-noise expert took over."),
    Column("dtype", "text", "Precision of the computation."),
    Column("vae_tiled", "boolean", "Whether the VAE worked in tiles."),
    Column("speed", "text", "What was given up of exactness, such as `fp8, teacache 0.1`; `exact` for nothing."),
    Column("params", "json", "The mode's own keys, as JSON."),
    Column("files", "json", "SHA-256 of the mode's files by key, as JSON."),
    Column("weights", "json", "Digests of the weights by what they are, as JSON."),
    Column("video_sha256", "text", "SHA-256 of the mp4."),
    Column("video_bytes", "integer", "Size of the mp4."),
    Column("latents", "text", "Path of the latents below the output folder; null where they are not kept."),
    Column("seconds", "number", "Time spent, all phases together.", part=lambda phases: float(sum(phases.values()))),
    Column("seconds_by_phase", "json", "The same by phase, as JSON.", "seconds"),
    Column("peak_memory", "integer", "Bytes of GPU memory; null without a GPU."),
    Column("memory", "text", "Memory profile that it was finished with: `resident`, `offload` or `lowest`."),
    Column("device", "text", "As torch names it."),
    Column("finished_at", "time", "When the video was written."),
    Column("versions", "json", "Versions of the software that made it, as JSON."),
    Column(
        "report",
        "json",
        "What there is to say of the video, as JSON: for a face swap frames by face, with a cache `skipped_steps`.",
    ),
    *(Column(score.name, score.kind, score.about, "scores", itemgetter(score.name)) for score in SCORES),
    Column(
        "near_duplicate_of",
        "text",
        "Id of the clip that this one looks like; null for the first of its kind. Exact clips come "
        "before others, and rejected ones last.",
        derived=True,
    ),
    Column("accept", "texts", "What the job asks of the scores; empty where it asks for nothing."),
    Column(
        "accepted", "boolean", "Whether the job takes this clip; null where it asks for nothing, or is not decided."
    ),
    Column("attempt", "integer", "1 with the job's own seed, from 2 with seeds that are made from it."),
    Column("attempt_of", "text", "Id of the job's first attempt; null where the job asks for nothing."),
    Column("record", "integer", "Version of the record's format."),
)
"""The columns of `index.parquet`, in order; `docs/index.md` says the same."""


def row_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a record, by the names of `COLUMNS`; what is derived is taken from the field of its name."""
    return {column.name: column.cell(record) for column in COLUMNS}
