"""Jobs that ask something of their scores, before a plan: which of their attempts stand for them now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from standin_batch.attempts import attempt, missed
from standin_batch.job import Job
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import is_dropped
from standin_batch.plan.reason import Reason
from standin_batch.run.judging import Judged, judge


@dataclass(frozen=True)
class Standing:
    """What is to be planned of a manifest's jobs.

    Attributes:
        jobs: in their order; in place of one that asks for something, the attempt that it takes, or those that are to
            be made next.
        not_accepted: jobs that have no attempt left.
        reseeded: why attempts with another seed are to be made, or dropped ones again, by their id.
        unscored: attempts that were made and whose scores are not known, so that nothing can be said of their jobs.
        empty: ids of jobs whose videos show nothing, and would again.
        acceptance: share of the clips made so far that met every condition; None without any.
    """

    jobs: tuple[Job, ...]
    not_accepted: tuple[Judged, ...] = ()
    reseeded: Mapping[str, Reason] = field(default_factory=dict)
    unscored: tuple[Job, ...] = ()
    empty: frozenset[str] = frozenset()
    acceptance: float | None = None


def standing(jobs: Iterable[Job], layout: OutputLayout, lasting: Collection[str] = ()) -> Standing:
    """Where `jobs` stand by the records below `layout`; those that ask for nothing stand for themselves.

    Args:
        jobs: as the manifest has them.
        layout: of the output folder.
        lasting: ids of jobs whose videos show nothing, and would again.
    """
    found: dict[str, Job] = {}
    judged = []
    for job in jobs:
        if job.accept is None:
            found[job.job_id] = job
            continue
        one = judge(job, layout, lasting)
        judged.append(one)
        found.update({each.job_id: each for each in _standing_for(one)})
    return Standing(
        jobs=tuple(found.values()),
        not_accepted=tuple(one for one in judged if one.decision.exhausted),
        reseeded=dict(_reasons(judged)),
        unscored=tuple(attempt(one.job, number) for one in judged for number in one.decision.unscored),
        empty=frozenset(lasting),
        acceptance=_acceptance(judged),
    )


def _standing_for(judged: Judged) -> tuple[Job, ...]:
    decision = judged.decision
    if decision.taken is not None:
        return (attempt(judged.job, decision.taken),)
    if decision.wanted or decision.exhausted:
        return judged.wanted
    return tuple(attempt(judged.job, number) for number in decision.unscored)


def _reasons(judged: Iterable[Judged]) -> Iterator[tuple[str, Reason]]:
    for one in judged:
        taken = one.decision.taken
        if taken is not None and is_dropped(one.made[taken]):
            yield one.made[taken]["job_id"], Reason.DROPPED
        yield from ((each.job_id, _why(one)) for each in one.wanted if each.attempt)


def _why(judged: Judged) -> Reason:
    """That the attempts before were rejected; nothing of one of several that are made in any case."""
    best = judged.decision.best
    if best is None or best not in judged.decision.rejected:
        return Reason.NEW
    return Reason.reseeded("no clip so far was accepted")


def _acceptance(judged: Iterable[Judged]) -> float | None:
    scored = [(one.job.accept, scores) for one in judged for scores in one.scores.values() if scores]
    met = [not missed(accept, scores) for accept, scores in scored if accept is not None]
    return sum(met) / len(met) if met else None
