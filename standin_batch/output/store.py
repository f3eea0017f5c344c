"""The store: videos and records in an output folder. A job is done when both its record and its video exist.

At 100,000 records the loops here are what everybody waits for, so they make no Path.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from standin_batch.attempts import attempt
from standin_batch.errors import NotReadyError
from standin_batch.files import remove_temporaries, sha256_file, write_atomic
from standin_batch.job import Job
from standin_batch.modes import MODES
from standin_batch.output.layout import OutputLayout
from standin_batch.output.record import Record, job_fields
from standin_batch.output.video import VideoError, read_metadata, write_video

if TYPE_CHECKING:
    import torch


ASKS = "accept"
"""Behind the id of a job that asks something of its scores, before those of its further attempts."""


class OutputError(NotReadyError):
    """The output folder cannot be used."""


@dataclass(frozen=True)
class OutputOptions:
    """How videos are named and written, as the manifest's `output` says."""

    template: str
    quality: int
    lossless: bool
    keep_latents: bool


@dataclass(frozen=True)
class Provenance:
    """What a record says besides the job: from which run, where and how long, and what its mode has to say."""

    manifest: str
    seconds: Mapping[str, float]
    peak_memory: int | None
    memory: str
    device: str
    finished_at: str
    versions: Mapping[str, str]
    report: Mapping[str, Any]


@dataclass(frozen=True)
class OwnedJob:
    """A job of the manifest.

    Attributes:
        job_id: of the job.
        further: ids of the attempts that may follow; None where the job asks nothing of its scores.
    """

    job_id: str
    further: tuple[str, ...] | None = None

    def to_line(self) -> str:
        """As a line of the file that lists them."""
        return " ".join([self.job_id, *(() if self.further is None else (ASKS, *self.further))])

    @classmethod
    def of_line(cls, line: str) -> OwnedJob:
        """The job of a line."""
        job_id, *rest = line.split()
        return cls(job_id, tuple(rest[1:]) if rest else None)


@dataclass(frozen=True)
class RunFiles:
    """What a run writes down of its manifest before it begins.

    Attributes:
        lock: text of the lock file.
        prompts: the prompt files that it names, by path below the output folder.
        owned: all jobs of the manifest.
    """

    lock: str
    prompts: Mapping[str, str]
    owned: tuple[OwnedJob, ...]


@dataclass(frozen=True)
class Store:
    """Videos and records below one output folder.

    Attributes:
        layout: where they lie.
        options: how they are written.
        run_files: gives what a run writes down of its manifest; None where that is another folder's.
    """

    layout: OutputLayout
    options: OutputOptions
    run_files: Callable[[], RunFiles] | None = None

    def open(self, *, tidy: bool = True) -> None:
        """Make the folder, remove what a killed run left half-written, and write down the manifest.

        Args:
            tidy: whether to remove it; not while others write here.
        """
        self.layout.folder.mkdir(parents=True, exist_ok=True)
        if tidy:
            self._remove_temporaries()
        if self.run_files is not None:
            _write_run_files(self.layout, self.run_files())

    def _remove_temporaries(self) -> None:
        remove_temporaries(self.layout.folder, below=False)
        for folder in (
            self.layout.records,
            self.layout.videos,
            self.layout.latents_folder,
            self.layout.posters,
            self.layout.state,
        ):
            remove_temporaries(folder)

    def save(
        self,
        job: Job,
        frames: np.ndarray,
        latents: torch.Tensor,
        provenance: Provenance,
        may_go_on: Callable[[], None] = lambda: None,
    ) -> Record:
        """Write the video of `job`, its latents where they are kept, and last its record.

        Args:
            job: that is done.
            frames: uint8 [num_frames, height, width, 3], RGB.
            latents: before decoding.
            provenance: what the record says besides.
            may_go_on: is asked before each change of the folder; what it raises ends this.
        """
        may_go_on()
        video = self.layout.video(job, self.options.template)
        self._check_inside(video)
        self._disown(job, video)
        # A record must never speak of another video: it goes before its video is replaced.
        self.layout.record(job.job_id).unlink(missing_ok=True)
        fields = job_fields(job)
        write_video(
            video,
            frames,
            job.fps,
            quality=self.options.quality,
            lossless=self.options.lossless,
            metadata=fields,
            audio=_sound(job),
            may_go_on=may_go_on,
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
            memory=provenance.memory,
            device=provenance.device,
            finished_at=provenance.finished_at,
            versions=provenance.versions,
            report=provenance.report,
            accept=tuple(map(str, job.accept.conditions)) if job.accept is not None else (),
            attempt=job.attempt + 1,
            attempt_of=attempt(job, 0).job_id if job.accept is not None else None,
        )
        may_go_on()
        write_atomic(self.layout.record(job.job_id), record.to_json() + "\n")
        return record

    def _disown(self, job: Job, video: Path) -> None:
        """A template without the job's id can name a video that another job made: that job is no longer done."""
        if "{job_id}" in self.options.template or not video.is_file():
            return
        with contextlib.suppress(VideoError):
            owner = str(read_metadata(video).get("job_id"))
            if owner != job.job_id and owner.isalnum():
                self.layout.record(owner).unlink(missing_ok=True)

    def _check_inside(self, video: Path) -> None:
        """Links must not lead what is written out of the output folder."""
        root = self.layout.folder.resolve()
        for folder in (video.parent, self.layout.records, self.layout.latents_folder):
            if not folder.resolve().is_relative_to(root):
                raise OutputError(f"{folder} leads out of {root}, through a link", "make it a folder, not a link")

    def _save_latents(self, job: Job, latents: torch.Tensor) -> str | None:
        if not self.options.keep_latents:
            return None
        from safetensors.torch import save

        path = self.layout.latents(job.job_id)
        write_atomic(path, save({"latents": latents.contiguous()}, metadata={"job_id": job.job_id}))
        return self.layout.relative(path)


def _sound(job: Job) -> Path | None:
    """The file whose sound the video has: of the mode's own video, where it keeps it."""
    key = MODES[job.mode].sound_of
    return job.files[key].path if key is not None and key in job.files else None


def _write_run_files(layout: OutputLayout, files: RunFiles) -> None:
    """Prompts first: names of prompt files tell their content, so whichever lock file is there finds its own."""
    for name, content in files.prompts.items():
        if not (layout.folder / name).is_file():
            write_atomic(layout.folder / name, content)
    write_atomic(layout.owned, "".join(f"{job.to_line()}\n" for job in files.owned))
    write_atomic(layout.lock_file, files.lock)
    kept = {(layout.folder / name).parent.name for name in files.prompts}
    if layout.lock_prompts.is_dir() and not layout.lock_prompts.is_symlink():
        for old in layout.lock_prompts.iterdir():
            if old.name not in kept and old.is_dir() and not old.is_symlink():
                shutil.rmtree(old, ignore_errors=True)


def owned_jobs(layout: OutputLayout) -> tuple[OwnedJob, ...] | None:
    """The jobs of the last run's manifest; None where no run has said."""
    try:
        lines = layout.owned.read_text().splitlines()
    except OSError:
        return None
    return tuple(OwnedJob.of_line(line) for line in lines if line.strip())


def owned_ids(layout: OutputLayout) -> frozenset[str] | None:
    """Ids of all jobs of the last run's manifest, and of their attempts; None where no run has said."""
    found = owned_jobs(layout)
    return None if found is None else frozenset(each for job in found for each in (job.job_id, *(job.further or ())))


def read_records(layout: OutputLayout) -> Iterator[dict[str, Any]]:
    """Every record that can be read, in the order of the job ids. One that cannot be read is not done."""
    folder = str(layout.records)
    for name in sorted(_names(layout)):
        record = read_record_file(f"{folder}/{name}", name.removesuffix(".json"))
        if record is not None:
            yield record


def read_record(layout: OutputLayout, job_id: str) -> dict[str, Any] | None:
    """The record of a job, or None if there is none or it is broken."""
    return read_record_file(str(layout.record(job_id)), job_id)


def read_record_file(path: str, job_id: str) -> dict[str, Any] | None:
    """As `read_record`, by its path: a `Path` for each of 100,000 costs as much again."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path costs as much again
            record = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or record.get("job_id") != job_id:
        return None
    return record if isinstance(record.get("video"), str) else None


def recorded_ids(layout: OutputLayout) -> frozenset[str]:
    """Ids that have a record, by the names of the files alone."""
    return frozenset(name.removesuffix(".json") for name in _names(layout))


DROPPED: Mapping[str, object] = {"video_bytes": 0, "video_sha256": None}
"""What a record says of a video that was removed on purpose; another may have its name by now."""


def is_dropped(record: Mapping[str, Any]) -> bool:
    """Whether the video of a record was removed on purpose."""
    return record.get("video_bytes") == 0


def has_video(layout: OutputLayout, record: Mapping[str, Any]) -> bool:
    """Whether the video that `record` speaks of exists, below the output folder."""
    if is_dropped(record):
        return False
    video = record["video"]
    inside = not video.startswith("/") and ".." not in video.split("/") and "\0" not in video
    return inside and os.path.isfile(f"{layout.folder}/{video}")  # noqa: PTH113 - as above


def is_done(layout: OutputLayout, job_id: str) -> bool:
    """Whether a job is done: its record and its video exist."""
    record = read_record(layout, job_id)
    return record is not None and has_video(layout, record)


def _names(layout: OutputLayout) -> list[str]:
    try:
        with os.scandir(layout.records) as entries:
            return [entry.name for entry in entries if entry.name.endswith(".json") and entry.name[0] != "."]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OutputError(f"{layout.records} cannot be read: {error.strerror}", "is it a folder of records?") from error
