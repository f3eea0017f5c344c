"""What an output folder knows of one job: record, video, journals, saved steps and log, read and not judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import has_video, owned_ids, read_record, recorded_ids
from standin_batch.plan.reason import Reason
from standin_batch.run.journal import Entry
from standin_batch.run.journals import history, latest
from standin_batch.run.living import living
from standin_batch.run.log import Line, read_logs
from standin_batch.run.saved import Progress, progress
from standin_batch.speed import EXACT


@dataclass(frozen=True)
class JobFacts:
    """What is known of a job.

    Attributes:
        job_id: of the job.
        label: how it is called for people.
        record: of its video; None unless it was made.
        has_video: whether the video of that record is there.
        entries: what journals say of it, oldest first.
        at_work: whether the run that wrote the last of them is still alive.
        saved: how far its saved state is; None where nothing is saved.
        owned: whether the manifest of the last run has it; None where no run has said.
        reason: why it would run, by the plan; None without a plan, or where it is done.
        log: what the logs say of it, oldest first.
    """

    job_id: str
    label: str = ""
    record: Mapping[str, Any] | None = None
    has_video: bool = False
    entries: tuple[Entry, ...] = ()
    at_work: bool = False
    saved: Progress | None = None
    owned: bool | None = None
    reason: Reason | None = None
    log: tuple[Line, ...] = ()


def read_labels(layout: OutputLayout) -> dict[str, str]:
    """The label of each job that has left something in the folder, or that the last run's manifest has, by its id.

    A job that no run has come to has an empty one: only the manifest knows it.
    """
    labels = dict.fromkeys(owned_ids(layout) or (), "")
    labels |= {job_id: entry.label for job_id, entry in latest(layout.journals).items()}
    for job_id in recorded_ids(layout):
        if not labels.get(job_id) and (record := read_record(layout, job_id)) is not None:
            labels[job_id] = label_of(record)
    return labels


def label_of(record: Mapping[str, Any]) -> str:
    """How the job of a record is called for people, as `Job.label` has it."""
    loras = [_lora(lora) for lora in record.get("loras", ())]
    parts = [record.get("name"), record.get("identity") or "no identity", record.get("prompt_name")]
    parts += [" + ".join(loras)] if loras else []
    parts += [speed] if (speed := record.get("speed") or str(EXACT)) != str(EXACT) else []
    attempt = record.get("attempt")
    again = f", attempt {attempt + 1}" if isinstance(attempt, int) and attempt else ""
    return " · ".join(map(str, [*parts, f"seed {record.get('seed')}{again}"]))


def _lora(lora: Mapping[str, Any]) -> str:
    name, scale = lora.get("name"), lora.get("scale")
    return f"{name}" if scale == 1.0 else f"{name} {scale:g}"


def read_facts(layout: OutputLayout, job_id: str, label: str, reason: Reason | None = None) -> JobFacts:
    """Everything that the folder knows of a job.

    Args:
        layout: of the output folder.
        job_id: of the job.
        label: how it is called for people.
        reason: why it would run, where a plan says so.
    """
    record, owned = read_record(layout, job_id), owned_ids(layout)
    entries = tuple(history(layout.journals, job_id))
    return JobFacts(
        job_id=job_id,
        label=label,
        record=record,
        has_video=record is not None and has_video(layout, record),
        entries=entries,
        at_work=bool(entries) and _is_at_work(layout, entries[-1]),
        saved=progress(layout, job_id),
        owned=None if owned is None else job_id in owned,
        reason=reason,
        log=read_logs(_logs(layout), job_id),
    )


def _logs(layout: OutputLayout) -> tuple[Path, ...]:
    """The log of the folder, and of each worker that made clips in it."""
    return layout.log, *(layout.worker(path.name).log for path in sorted(layout.workers.glob("*")))


def _is_at_work(layout: OutputLayout, entry: Entry) -> bool:
    return any(run.wrote(entry) for run in living(layout))
