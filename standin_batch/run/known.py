"""What is known of jobs before a run: from records, videos and journals.

Every record of a job is read, and at 100,000 of them that is what planning waits for: so the folders are listed once
each, and the loop over records makes no Path.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standin_batch.job import Job
from standin_batch.output.layout import OutputLayout
from standin_batch.output.record import job_fields
from standin_batch.output.store import has_video, is_dropped, read_record_file, recorded_ids
from standin_batch.plan.changes import Slot, changes, slot_of, slots_of
from standin_batch.plan.reason import Reason
from standin_batch.run.failure import is_lasting
from standin_batch.run.journal import Entry, State
from standin_batch.run.journals import latest
from standin_batch.run.saved import progress

RecordData = Mapping[str, Any]


@dataclass(frozen=True)
class Known:
    """What is known of jobs.

    Attributes:
        reasons: for each job that was seen before, None when it is done, else why it has to run again.
        lasting: ids of those that failed by their own content, so that they would again.
        bytes_per_pixel: of video for each pixel of each frame, over the videos that are done; None without any.
        judged: whether any record says that its job asks something of its scores.
        cut_off: ids of videos that were made, and whose scores were not there yet when their run was cut off.
    """

    reasons: Mapping[str, Reason | None]
    lasting: frozenset[str] = frozenset()
    bytes_per_pixel: float | None = None
    judged: bool = False
    cut_off: frozenset[str] = frozenset()


def known_jobs(jobs: Sequence[Job], layout: OutputLayout, entries: Mapping[str, Entry] | None = None) -> Known:
    """What records, videos and journals below `layout` know of `jobs`.

    Args:
        jobs: of one manifest.
        layout: of the output folder.
        entries: the newest of each job in the journals, where they are read already.
    """
    recorded = recorded_ids(layout)
    entries = latest(layout.journals) if entries is None else entries
    reasons: dict[str, Reason | None] = {
        job_id: Reason.FAILED_BEFORE if entry.state is State.FAILED else _interrupted(layout, job_id)
        for job_id, entry in entries.items()
        if entry.state is not State.COMPLETED
    }
    lasting = {key for key, entry in entries.items() if entry.state is State.FAILED and is_lasting(entry.kind)}
    videos, size, judged, cut_off = _Videos(layout), _Size(), False, set()
    for record in _records(layout, (job.job_id for job in jobs if job.job_id in recorded)):
        exists = record in videos
        judged = judged or record.get("attempt_of") is not None
        lasting.discard(record["job_id"])
        reasons[record["job_id"]] = None if exists else Reason.OUTPUT_MISSING
        if exists:
            size.add(record)
        if exists and not record.get("scores") and _is_cut_off(entries.get(record["job_id"])):
            cut_off.add(record["job_id"])
    reasons.update(_changed([job for job in jobs if job.job_id not in reasons], jobs, recorded, layout))
    return Known(reasons, frozenset(lasting), size.bytes_per_pixel, judged, frozenset(cut_off))


def _is_cut_off(entry: Entry | None) -> bool:
    """Whether a run began a job and did not come to say that it is done, though its record is there."""
    return entry is not None and entry.state is not State.COMPLETED


def _interrupted(layout: OutputLayout, job_id: str) -> Reason:
    saved = progress(layout, job_id)
    return Reason.INTERRUPTED if saved is None else Reason.interrupted(saved.step, saved.steps)


def _changed(
    new: Sequence[Job], jobs: Iterable[Job], recorded: frozenset[str], layout: OutputLayout
) -> dict[str, Reason]:
    """For new jobs that take the place of a video which no job owns any more, what changed.

    Of several such videos the nearest counts. Each record is looked at once and forgotten: there may be 100,000.
    """
    orphans = sorted(recorded.difference(job.job_id for job in jobs)) if new else []
    nearest: dict[str, tuple[str, ...]] = {}
    takers = _by_slot(new) if orphans else {}
    for record in _records(layout, orphans):
        for job in takers.get(slot_of(record), ()):
            told = changes(record, job_fields(job))
            nearest[job.job_id] = min(nearest.get(job.job_id, told), told, key=lambda found: (len(found), found))
    return {job_id: Reason.changed(*told) for job_id, told in nearest.items()}


def _by_slot(jobs: Iterable[Job]) -> dict[Slot, list[Job]]:
    found: dict[Slot, list[Job]] = {}
    for job in jobs:
        for slot in slots_of(job):
            found.setdefault(slot, []).append(job)
    return found


def _records(layout: OutputLayout, job_ids: Iterable[str]) -> Iterator[RecordData]:
    """The records of these jobs; one that cannot be read does not count."""
    folder = str(layout.records)
    for job_id in job_ids:
        record = read_record_file(f"{folder}/{job_id}.json", job_id)
        if record is not None:
            yield record


class _Videos:
    """Which videos exist: the folder is listed once, and a path that is not in the list is looked up."""

    def __init__(self, layout: OutputLayout) -> None:
        self._layout = layout
        self._listed = frozenset(_files_below(layout.videos, layout.relative(layout.videos)))

    def __contains__(self, record: RecordData) -> bool:
        return (record["video"] in self._listed and not is_dropped(record)) or has_video(self._layout, record)


def _files_below(folder: Path | str, name: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _files_below(entry.path, f"{name}/{entry.name}")
                elif entry.is_file():
                    yield f"{name}/{entry.name}"
    except OSError:
        return


class _Size:
    """Bytes and pixels of videos, summed."""

    def __init__(self) -> None:
        self._bytes = self._pixels = 0

    def add(self, record: RecordData) -> None:
        """Count one video."""
        try:
            pixels = record["width"] * record["height"] * record["num_frames"]
            written = int(record["video_bytes"])
        except (KeyError, TypeError, ValueError):
            return
        self._bytes, self._pixels = self._bytes + written, self._pixels + pixels

    @property
    def bytes_per_pixel(self) -> float | None:
        """Bytes for each pixel of each frame; None where nothing was counted."""
        return self._bytes / self._pixels if self._pixels else None
