"""What is known of jobs before a run: from records, videos and journals."""

from __future__ import annotations

from collections.abc import Sequence

from standin_batch.job import Job
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import has_video, read_record, recorded_ids
from standin_batch.plan.plan import Reason
from standin_batch.run.journal import State, latest


def known_jobs(jobs: Sequence[Job], layout: OutputLayout) -> dict[str, Reason | None]:
    """For each job that was seen before: None when it is done, else why it has to run again."""
    known: dict[str, Reason | None] = {
        job_id: Reason.FAILED_BEFORE for job_id, entry in latest(layout.journals).items() if entry.state is State.FAILED
    }
    recorded = recorded_ids(layout)
    for job in jobs:
        if job.job_id in recorded and (record := read_record(layout, job.job_id)) is not None:
            known[job.job_id] = None if has_video(layout, record) else Reason.OUTPUT_MISSING
    return known
