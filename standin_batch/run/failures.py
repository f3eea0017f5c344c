"""Which jobs of an output folder have failed and have no clip, by the journals."""

from __future__ import annotations

from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import owned_ids, recorded_ids
from standin_batch.output.summary import Failure
from standin_batch.run.journal import State, latest


def read_failures(layout: OutputLayout) -> tuple[Failure, ...]:
    """The failed jobs of the last run's manifest, or of all runs where none has said what it has; by their labels."""
    owned, recorded = owned_ids(layout), recorded_ids(layout)
    failed = (
        Failure(job_id, entry.label, entry.kind, entry.error, entry.hint)
        for job_id, entry in latest(layout.journals).items()
        if entry.state is State.FAILED and job_id not in recorded and (owned is None or job_id in owned)
    )
    return tuple(sorted(failed, key=lambda failure: (failure.label, failure.job_id)))
