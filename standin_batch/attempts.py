"""The attempts of a job that asks something of its scores: the same job with other seeds, and which of them it takes.

Pure: the scores come from records, so that what is decided is the same whenever and in whatever order it is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from standin_batch.fingerprint import digest
from standin_batch.job import Job, job_id
from standin_batch.manifest.manifest import Acceptance, Condition, plain
from standin_batch.scores.table import Scores

DEFAULT_RANK = Condition("face_similarity", ">=", 0.0)
"""By what clips are compared where nothing is asked of them but to be the best."""

SEED_DIGITS = 8
"""Hexadecimal digits of a seed that is made here: 32 bits, so that file names stay short."""


@dataclass(frozen=True)
class Decision:
    """What becomes of a job.

    Attributes:
        taken: number of the attempt that it takes; None as long as there is none.
        wanted: numbers of the attempts that are to be made next; empty when it is decided.
        rejected: numbers of those made that it will not take, whatever comes.
        best: number of the best of those made; None before there is one.
        unscored: numbers of those made that nobody has looked at: before that, nothing can be said.
    """

    taken: int | None
    wanted: tuple[int, ...]
    rejected: tuple[int, ...] = ()
    best: int | None = None
    unscored: tuple[int, ...] = ()

    @property
    def exhausted(self) -> bool:
        """Whether every attempt was made, and none is taken."""
        return self.taken is None and not self.wanted and not self.unscored


def decide(
    accept: Acceptance, made: Mapping[int, Scores], gone: Collection[int] = (), failed: Collection[int] = ()
) -> Decision:
    """Which attempt is taken, or which are to be made next.

    The first `best_of` are made in any case, and the best of those that meet every condition is taken. Where none does,
    more are made one by one, and the first that does is taken.

    Args:
        accept: what is asked.
        made: the scores of each attempt that was made, by its number; empty of one that nobody has looked at.
        gone: those of them whose videos were dropped: one is taken, and made again, only where no other can be.
        failed: attempts that cannot be made, as their videos show nothing.
    """
    tried = {*made, *failed}
    missing = tuple(number for number in range(accept.best_of) if number not in tried)
    if unscored := tuple(sorted(number for number, scores in made.items() if not scores)):
        return Decision(None, missing, unscored=unscored)
    meeting = {number for number, scores in made.items() if not missed(accept, scores)}
    best = _best(accept, made, sorted(made))
    if missing:
        return Decision(None, missing, tuple(sorted(made.keys() - meeting)), best)
    taken = _taken(accept, made, meeting.difference(gone))
    if taken is None:
        taken = _taken(accept, made, meeting.intersection(gone))
    last = accept.best_of + accept.max_reseeds
    following = next((number for number in range(accept.best_of, last) if number not in tried), None)
    if taken is None and following is not None:
        return Decision(None, (following,), tuple(sorted(made)), best)
    return Decision(taken, (), tuple(sorted(made.keys() - {taken})), best)


def _taken(accept: Acceptance, made: Mapping[int, Scores], meeting: Collection[int]) -> int | None:
    """Of the attempts that meet everything the best of those made in any case, else the first."""
    several = sorted(number for number in meeting if number < accept.best_of)
    return _best(accept, made, several) if several else min(meeting, default=None)


def missed(accept: Acceptance, scores: Scores) -> tuple[Condition, ...]:
    """The conditions that a clip does not meet. A score that it cannot have is no hindrance; one without value is."""
    return tuple(each for each in accept.conditions if each.score in scores and not _meets(each, scores[each.score]))


def told(accept: Acceptance, scores: Scores) -> str:
    """Why a clip was not accepted, in words: `face_similarity 0.41, not >= 0.55`."""
    return ", ".join(
        f"{each.score} {_shown(scores.get(each.score))}, not {each.comparison} {plain(each.threshold)}"
        for each in missed(accept, scores)
    )


def attempt(job: Job, number: int) -> Job:
    """An attempt of `job`, which may itself be any of its attempts: number 0 has the manifest's seed."""
    first = job.seed if job.first_seed is None else job.first_seed
    seed = first if number == 0 else reseeded(first, number)
    if (seed, number) == (job.seed, job.attempt):
        return job
    other = replace(job, seed=seed, attempt=number, first_seed=first if number else None)
    return replace(other, job_id=job_id(other))


def attempts(job: Job) -> Iterator[Job]:
    """All attempts that `job` may come to, in order, made one by one; itself alone where it asks for nothing."""
    if job.accept is None:
        yield job
        return
    for number in range(job.accept.best_of + job.accept.max_reseeds):
        yield attempt(job, number)


def reseeded(seed: int, number: int) -> int:
    """The seed of attempt `number`, from 1, of a job whose own seed is `seed`."""
    return int(digest(["attempt", seed, number])[:SEED_DIGITS], 16)


def rank(accept: Acceptance) -> Condition:
    """By which score clips are compared, and in which direction."""
    return accept.conditions[0] if accept.conditions else DEFAULT_RANK


def _best(accept: Acceptance, made: Mapping[int, Scores], numbers: Sequence[int]) -> int | None:
    """The best of some attempts; of equal ones the first. Where they cannot be compared, the first."""
    by = rank(accept)
    sign = 1.0 if by.comparison in (">=", ">") else -1.0

    def value(number: int) -> float:
        score = made[number].get(by.score)
        return float("-inf") if score is None else sign * float(score)

    return max(numbers, key=value, default=None)


def _meets(condition: Condition, value: float | None) -> bool:
    if value is None:
        return False
    threshold = condition.threshold
    return {
        ">=": value >= threshold,
        "<=": value <= threshold,
        ">": value > threshold,
        "<": value < threshold,
    }[condition.comparison]


def _shown(value: float | None) -> str:
    """With all of its digits: a near miss has to show."""
    return "none, as no face was found" if value is None else plain(value)
