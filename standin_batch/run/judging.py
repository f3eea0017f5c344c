"""Judging finished clips of jobs that ask something of their scores: taken, rejected, or made again with another seed.

What is decided comes from records alone (`attempts`); here it is read from them, and written into them.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from standin_batch.attempts import Decision, attempt, attempts, decide, told
from standin_batch.errors import StandinError
from standin_batch.files import write_atomic
from standin_batch.job import Job
from standin_batch.manifest.manifest import Acceptance
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import has_video, read_record
from standin_batch.scores.table import DECIDING, Scores

Made = Mapping[int, Mapping[str, Any]]
"""The records of a job's attempts, by number."""


class NotAcceptedError(StandinError):
    """None of the clips of a job was accepted."""


@dataclass(frozen=True)
class Judged:
    """Where a job stands.

    Attributes:
        job: as the manifest has it.
        made: the records of its attempts.
        scores: of each of them.
        decision: what becomes of it.
    """

    job: Job
    made: Made
    scores: Mapping[int, Scores]
    decision: Decision

    @property
    def wanted(self) -> tuple[Job, ...]:
        """The attempts that are to be made next."""
        return tuple(attempt(self.job, number) for number in self.decision.wanted)

    def accepted(self, number: int) -> bool | None:
        """Whether a clip is taken; None as long as that is open."""
        if number == self.decision.taken:
            return True
        return False if number in self.decision.rejected else None

    def why_not(self, number: int) -> str:
        """Why a clip was rejected, in words."""
        assert self.job.accept is not None
        return told(self.job.accept, self.scores[number]) or "another clip is better"

    @property
    def error(self) -> NotAcceptedError:
        """That none of its clips was accepted."""
        best = self.decision.best
        cure = "raise accept.max_reseeds, ask for less, or take another photograph or prompt"
        if best is None or len(self.made) == 1:
            return NotAcceptedError(f"its clip was not accepted: {self.why_not(best or 0)}", cure)
        why = f"the best, attempt {best + 1}, had {self.why_not(best)}"
        return NotAcceptedError(f"none of its {len(self.made)} clips was accepted: {why}", cure)


def judge(job: Job, layout: OutputLayout) -> Judged:
    """Where `job`, or any attempt of it, stands by the records below `layout`.

    An attempt whose video is gone counts by its scores: a rejected one is not made again for that.
    """
    assert job.accept is not None
    first, made = attempt(job, 0), {}
    for each in attempts(first):
        record = read_record(layout, each.job_id)
        if record is not None:
            made[each.attempt] = record
        elif each.attempt >= job.accept.best_of:
            break
    scores = {number: _scores(record) for number, record in made.items()}
    return Judged(first, made, scores, decide(job.accept, scores))


def write_down(judged: Judged, layout: OutputLayout) -> None:
    """Have the records say what was decided, and drop the videos of rejected clips where the job wants that."""
    accept = judged.job.accept
    assert accept is not None
    for number, record in judged.made.items():
        said = {"accept": conditions(accept), "accepted": judged.accepted(number)}
        if any(record.get(key) != value for key, value in said.items()):
            write_atomic(layout.record(record["job_id"]), json.dumps({**record, **said}, ensure_ascii=False) + "\n")
        if said["accepted"] is False and accept.rejected == "drop":
            _drop(record, layout)


def write_all_down(jobs: Iterable[Job], layout: OutputLayout) -> None:
    """Have the records of all attempts of `jobs` say what their manifest makes of them now."""
    for job in jobs:
        if job.accept is not None:
            write_down(judge(job, layout), layout)


def conditions(accept: Acceptance | None) -> list[str]:
    """What is asked of a clip, as records have it."""
    return [] if accept is None else [str(each) for each in accept.conditions]


def _drop(record: Mapping[str, Any], layout: OutputLayout) -> None:
    gone = [layout.poster(record["job_id"]), layout.latents(record["job_id"])]
    if has_video(layout, record):
        gone.append(layout.folder / record["video"])
    for path in gone:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _scores(record: Mapping[str, Any]) -> Scores:
    """What a record says of the scores that can decide; nothing else that somebody may have written there."""
    scores = record.get("scores")
    found = scores.items() if isinstance(scores, dict) else ()
    return {name: value for name, value in found if name in DECIDING and (value is None or _is_number(value))}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
