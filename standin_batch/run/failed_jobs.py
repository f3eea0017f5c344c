"""The jobs of an output folder that failed and are not done, for who shows them: from the journals alone."""

from __future__ import annotations

from standin_batch.output.gallery import FailedJob
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import owned_ids, recorded_ids
from standin_batch.run.journal import State, latest


def failed_jobs(layout: OutputLayout) -> tuple[FailedJob, ...]:
    """Jobs of the manifest whose latest attempt failed, the latest first; of a folder without a manifest all such."""
    owned, recorded = owned_ids(layout), recorded_ids(layout)
    failed = [
        entry
        for entry in latest(layout.journals).values()
        if entry.state is State.FAILED and entry.job_id not in recorded and (owned is None or entry.job_id in owned)
    ]
    return tuple(
        FailedJob(entry.job_id, entry.label, entry.error, entry.kind, entry.hint, entry.at)
        for entry in sorted(failed, key=lambda entry: entry.at, reverse=True)
    )
