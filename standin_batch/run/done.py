"""Which jobs of an output folder are done, and which entries of its journals that makes void: by records alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import OwnedJob, owned_jobs, read_record, recorded_ids
from standin_batch.run.failure import FailureKind
from standin_batch.run.journal import Entry


@dataclass(frozen=True)
class Done:
    """What is done in an output folder.

    Attributes:
        recorded: ids with a record, of whatever jobs and attempts.
        ours: ids of the jobs of the last run's manifest, and of their attempts; None where no run has said.
        ids: of the jobs that are done.
        total: jobs of that manifest; None where no run has said.
    """

    recorded: frozenset[str]
    ours: frozenset[str] | None
    ids: frozenset[str]
    total: int | None

    def is_ours(self, job_id: str) -> bool:
        """Whether it is a job of the manifest, or an attempt of one; any is where no run has said."""
        return self.ours is None or job_id in self.ours

    def is_over(self, entry: Entry) -> bool:
        """Whether records outweigh an entry. That none of a job's clips was accepted holds beside their records."""
        if entry.kind == FailureKind.NOT_ACCEPTED.value:
            return entry.job_id in self.ids
        return entry.job_id in self.recorded


def done_in(layout: OutputLayout) -> Done:
    """What is done below `layout`."""
    recorded, owned = recorded_ids(layout), owned_jobs(layout)
    if owned is None:
        return Done(recorded, None, recorded, None)
    ours = frozenset(each for job in owned for each in (job.job_id, *(job.further or ())))
    return Done(recorded, ours, frozenset(_done(layout, owned, recorded)), len(owned))


def _done(layout: OutputLayout, owned: Iterable[OwnedJob], recorded: frozenset[str]) -> Iterator[str]:
    """A job that asks something of its clips is done when it takes one of them."""
    for job in owned:
        if job.further is None:
            if job.job_id in recorded:
                yield job.job_id
        elif any(_is_accepted(layout, each) for each in (job.job_id, *job.further) if each in recorded):
            yield job.job_id


def _is_accepted(layout: OutputLayout, job_id: str) -> bool:
    record = read_record(layout, job_id)
    return record is not None and record.get("accepted") is True
