"""The jobs of an output folder that failed and are not done, for who shows them: from journals and records alone."""

from __future__ import annotations

from standin_batch.output.failed import FailedJob
from standin_batch.output.layout import OutputLayout
from standin_batch.run.done import done_in, entries_of
from standin_batch.run.journal import State


def failed_jobs(layout: OutputLayout) -> tuple[FailedJob, ...]:
    """Jobs of the manifest whose latest attempt failed, the latest first; of a folder without a manifest all such."""
    failed = [entry for entry in entries_of(layout, done_in(layout)) if entry.state is State.FAILED]
    return tuple(
        FailedJob(entry.job_id, entry.label, entry.error, entry.kind, entry.hint, entry.at)
        for entry in sorted(failed, key=lambda entry: entry.at, reverse=True)
    )
