"""The store: videos and records in an output folder. A job is done when both its record and its video exist."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from standin_batch.files import remove_temporaries, replace_atomic, sha256_file, write_atomic
from standin_batch.job import Job
from standin_batch.output.layout import OutputLayout
from standin_batch.output.record import Record, job_fields
from standin_batch.output.video import write_video

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class OutputOptions:
    """How videos are named and written, as the manifest's `output` says."""

    template: str
    quality: int
    lossless: bool
    keep_latents: bool


@dataclass(frozen=True)
class Provenance:
    """What a record says besides the job: from which run, where and how long."""

    manifest: str
    seconds: Mapping[str, float]
    peak_memory: int | None
    device: str
    finished_at: str
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Store:
    """Videos and records below one output folder."""

    layout: OutputLayout
    options: OutputOptions

    def open(self) -> None:
        """Make the folder and remove what a killed run left half-written."""
        self.layout.folder.mkdir(parents=True, exist_ok=True)
        remove_temporaries(self.layout.folder)

    def save(self, job: Job, frames: np.ndarray, latents: torch.Tensor, provenance: Provenance) -> Record:
        """Write the video of `job`, its latents where they are kept, and last its record."""
        video = self.layout.video(job, self.options.template)
        fields = job_fields(job)
        write_video(
            video,
            frames,
            job.fps,
            quality=self.options.quality,
            lossless=self.options.lossless,
            metadata=fields,
        )
        record = Record(
            **fields,
            also=job.also,
            manifest=provenance.manifest,
            video=self.layout.relative(video),
            video_sha256=sha256_file(video),
            video_bytes=video.stat().st_size,
            latents=self._save_latents(job, latents),
            seconds={phase: round(seconds, 3) for phase, seconds in provenance.seconds.items()},
            peak_memory=provenance.peak_memory,
            device=provenance.device,
            finished_at=provenance.finished_at,
            versions=provenance.versions,
        )
        write_atomic(self.layout.record(job.job_id), record.to_json() + "\n")
        return record

    def _save_latents(self, job: Job, latents: torch.Tensor) -> str | None:
        if not self.options.keep_latents:
            return None
        from safetensors.torch import save_file

        path = self.layout.latents(job.job_id)
        with replace_atomic(path) as temporary:
            save_file({"latents": latents.contiguous()}, temporary, metadata={"job_id": job.job_id})
        return self.layout.relative(path)


def read_records(layout: OutputLayout) -> Iterator[dict[str, Any]]:
    """Every record that can be read, in the order of the job ids. One that cannot be read is not done."""
    for name in sorted(_names(layout)):
        record = read_record(layout, name.removesuffix(".json"))
        if record is not None:
            yield record


def read_record(layout: OutputLayout, job_id: str) -> dict[str, Any] | None:
    """The record of a job, or None if there is none or it is broken."""
    try:
        record = json.loads(layout.record(job_id).read_bytes())
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("job_id") == job_id and "video" in record else None


def recorded_ids(layout: OutputLayout) -> frozenset[str]:
    """Ids that have a record, by the names of the files alone."""
    return frozenset(name.removesuffix(".json") for name in _names(layout))


def has_video(layout: OutputLayout, record: Mapping[str, Any]) -> bool:
    """Whether the video that `record` speaks of exists."""
    return (layout.folder / record["video"]).is_file()


def _names(layout: OutputLayout) -> list[str]:
    try:
        with os.scandir(layout.records) as entries:
            return [entry.name for entry in entries if entry.name.endswith(".json") and entry.name[0] != "."]
    except FileNotFoundError:
        return []
