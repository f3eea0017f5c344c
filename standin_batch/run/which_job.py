"""Which job a person means who writes an id, the beginning of one, or words of a label."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from standin_batch.errors import UsageError
from standin_batch.job import Job
from standin_batch.manifest.words import did_you_mean
from standin_batch.plan.plan import Plan
from standin_batch.plan.reason import Reason
from standin_batch.weights.content import MISSING


@dataclass(frozen=True)
class Candidates:
    """The jobs that somebody may mean.

    Attributes:
        labels: how each is called for people, by its id; empty where only the manifest would know.
        owned: ids of the manifest's jobs: where one of them is meant, the others, which it had once, are not.
        reasons: why each would run, by a plan.
    """

    labels: Mapping[str, str]
    owned: Collection[str] = ()
    reasons: Mapping[str, Reason] = field(default_factory=dict)

    @classmethod
    def of_plan(cls, known: Mapping[str, str], plan: Plan) -> Candidates:
        """The jobs of a manifest, and those that left something in its folder.

        Ids of jobs whose weights are not here are not the ones that they run under: where the folder knows one by its
        label, it knows better.

        Args:
            known: labels of what the folder has, by id.
            plan: of the manifest.
        """
        left = set(known.values())
        todo = {one.job.job_id: one for one in plan.to_run if _has_weights(one.job) or one.job.label not in left}
        jobs = (*plan.done, *(one.job for one in todo.values()))
        labels = {**known, **{job.job_id: job.label for job in jobs}}
        owned = frozenset(job.job_id for job in jobs if _has_weights(job))
        return cls(labels, owned, {job_id: one.reason for job_id, one in todo.items()})


def _has_weights(job: Job) -> bool:
    return not any(value.startswith(MISSING) for value in job.weights.values())


def matching(wanted: str, jobs: Candidates) -> tuple[str, ...]:
    """Ids of the jobs that `wanted` may mean.

    It is an id, a label, whole words of a label in any order, the beginning of an id, or parts of words: the first of
    these that any job answers to counts.

    Args:
        wanted: what somebody wrote.
        jobs: that may be meant.

    Raises:
        UsageError: if no job answers, with what was probably meant.
    """
    if wanted in jobs.labels:
        return (wanted,)
    sought = wanted.casefold()
    for answers in (_is_label, _has_words, _begins, _has_parts):
        found = [job_id for job_id, label in jobs.labels.items() if answers(sought, job_id, label.casefold())]
        if found:
            return tuple(job_id for job_id in found if job_id in jobs.owned) or tuple(found)
    known = (label for label in jobs.labels.values() if label)
    raise UsageError(
        f"no job answers to {wanted!r}",
        did_you_mean(wanted, known, "jobs") or "no run has begun it: name the manifest instead of the folder",
    )


def _is_label(sought: str, _: str, label: str) -> bool:
    return sought == label


def _has_words(sought: str, _: str, label: str) -> bool:
    words = _words(sought)
    return bool(words) and words <= _words(label)


def _begins(sought: str, job_id: str, _: str) -> bool:
    return bool(sought) and job_id.startswith(sought)


def _has_parts(sought: str, _: str, label: str) -> bool:
    words = _words(sought)
    return bool(words) and all(word in label for word in words)


def _words(text: str) -> set[str]:
    return set(text.replace("·", " ").split())
