"""The jobs of an output folder that failed and are not done, for who shows them: from journals and records alone."""

from __future__ import annotations

from standin_batch.output.failed import FailedJob
from standin_batch.output.layout import OutputLayout
from standin_batch.run.done import done_in
from standin_batch.run.journal import State, latest


def failed_jobs(layout: OutputLayout) -> tuple[FailedJob, ...]:
    """Jobs of the manifest whose latest attempt failed, the latest first; of a folder without a manifest all such."""
    done = done_in(layout)
    failed = [
        entry
        for entry in latest(layout.journals).values()
        if entry.state is State.FAILED and done.is_ours(entry.job_id) and not done.is_over(entry)
    ]
    return tuple(
        FailedJob(entry.job_id, entry.label, entry.error, entry.kind, entry.hint, entry.at)
        for entry in sorted(failed, key=lambda entry: entry.at, reverse=True)
    )
