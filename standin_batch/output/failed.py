"""A job that failed, as gallery, report and summary show it. Journals are not read here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FailedJob:
    """A job that failed and is not done.

    Attributes:
        job_id: of the job.
        label: how it is called for people.
        error: why it failed.
        kind: of the failure, as `run.failure.FailureKind` has it; empty where that is not known.
        hint: what to do about it; may be empty.
        at: when it failed, in seconds since 1970.
    """

    job_id: str
    label: str
    error: str
    kind: str = ""
    hint: str = ""
    at: float = 0.0
