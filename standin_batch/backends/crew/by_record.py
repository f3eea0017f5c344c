"""Clips whose workers could not say any more that they are made: their records say it."""

from __future__ import annotations

from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import has_video, read_record
from standin_batch.run.events import JobCompleted
from standin_batch.run.job_facts import label_of


def made(layout: OutputLayout, job_id: str, label: str = "") -> JobCompleted | None:
    """What a worker would have told of a job; None where it is not made. Nothing is told so of forced jobs.

    Args:
        layout: of the output folder.
        job_id: of the job.
        label: for people; the record's own unless said.
    """
    record = read_record(layout, job_id)
    if record is None or not has_video(layout, record):
        return None
    seconds = sum((record.get("seconds") or {}).values())
    scores, accepted = record.get("scores") or {}, record.get("accepted")
    return JobCompleted(job_id, label or label_of(record), record["video"], seconds, scores, accepted)
