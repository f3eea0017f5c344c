"""Which jobs of an output folder are done, and which entries of its journals that makes void: by records alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import OwnedJob, owned_jobs, read_record, recorded_ids
from standin_batch.run.failure import FailureKind
from standin_batch.run.job_facts import label_of
from standin_batch.run.journal import Entry, State
from standin_batch.run.journals import latest

NONE_ACCEPTED = "none of its clips was accepted"
"""In words that are the same for all such jobs, so that they count together."""


@dataclass(frozen=True)
class Done:
    """What is done in an output folder.

    Attributes:
        recorded: ids with a record, of whatever jobs and attempts.
        ours: ids of the jobs of the last run's manifest, and of their attempts; None where no run has said.
        ids: of the jobs that are done.
        not_accepted: ids of jobs all of whose attempts were made, and none accepted.
        total: jobs of that manifest; None where no run has said.
    """

    recorded: frozenset[str]
    ours: frozenset[str] | None
    ids: frozenset[str]
    not_accepted: tuple[str, ...]
    total: int | None

    def is_ours(self, job_id: str) -> bool:
        """Whether it is a job of the manifest, or an attempt of one; any is where no run has said."""
        return self.ours is None or job_id in self.ours

    def is_over(self, entry: Entry) -> bool:
        """Whether records outweigh an entry of a journal. That no clip was accepted they say themselves."""
        return entry.job_id in self.recorded or entry.kind == FailureKind.NOT_ACCEPTED.value


def done_in(layout: OutputLayout) -> Done:
    """What is done below `layout`."""
    recorded, owned = recorded_ids(layout), owned_jobs(layout)
    if owned is None:
        return Done(recorded, None, recorded, (), None)
    ours = frozenset(each for job in owned for each in (job.job_id, *(job.further or ())))
    plain = {job.job_id for job in owned if job.further is None and job.job_id in recorded}
    asking = {job.job_id: _verdicts(layout, job, recorded) for job in owned if job.further is not None}
    taken = {job_id for job_id, verdicts in asking.items() if True in verdicts}
    none = tuple(job_id for job_id, verdicts in asking.items() if verdicts and all(each is False for each in verdicts))
    return Done(recorded, ours, frozenset(plain | taken), none, len(owned))


def entries_of(layout: OutputLayout, done: Done) -> list[Entry]:
    """The newest word on each job of the manifest that is not done: of journals, and of records where these decide."""
    entries = [
        each for each in latest(layout.journals).values() if done.is_ours(each.job_id) and not done.is_over(each)
    ]
    return [*entries, *(_none_accepted(layout, job_id) for job_id in done.not_accepted)]


def _none_accepted(layout: OutputLayout, job_id: str) -> Entry:
    record = read_record(layout, job_id) or {}
    asked = " and ".join(map(str, record.get("accept") or ())) or "the best of several"
    kind, cure = FailureKind.NOT_ACCEPTED.value, "raise accept.max_reseeds, or ask for less"
    return Entry(0.0, job_id, label_of(record), State.FAILED, f"{NONE_ACCEPTED}: it asks for {asked}", 0, kind, cure)


def _verdicts(layout: OutputLayout, job: OwnedJob, recorded: frozenset[str]) -> list[bool | None]:
    """What the records of all of a job's attempts say, None of one that is not there; empty where none is."""
    ids = (job.job_id, *(job.further or ()))
    if recorded.isdisjoint(ids):
        return []
    return [_verdict(read_record(layout, each)) if each in recorded else None for each in ids]


def _verdict(record: Mapping[str, Any] | None) -> bool | None:
    found = None if record is None else record.get("accepted")
    return found if isinstance(found, bool) else None
