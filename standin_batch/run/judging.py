"""Judging finished clips of jobs that ask something of their scores: taken, rejected, or made again with another seed.

What is decided comes from records alone (`attempts`); here it is read from them, and written into them.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from standin_batch.attempts import Decision, attempt, attempts, decide, told
from standin_batch.errors import StandinError
from standin_batch.files import write_atomic
from standin_batch.job import Job
from standin_batch.manifest.manifest import Acceptance
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import DROPPED, has_video, is_dropped, read_record, recorded_ids
from standin_batch.output.video import VideoError, read_metadata
from standin_batch.run.scoring import asks_for_face
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
        if best is None:
            return NotAcceptedError("none of its clips shows anything", cure)
        if len(self.made) == 1:
            return NotAcceptedError(f"its clip was not accepted: {self.why_not(best)}", cure)
        why = f"the best, attempt {best + 1}, had {self.why_not(best)}"
        return NotAcceptedError(f"none of its {len(self.made)} clips was accepted: {why}", cure)


def judge(job: Job, layout: OutputLayout, lasting: Collection[str] = ()) -> Judged:
    """Where `job`, or any attempt of it, stands by the records below `layout`.

    An attempt whose video is gone counts by its scores: a rejected one is not made again for that.

    Args:
        job: that asks something of its scores.
        layout: of the output folder.
        lasting: ids of jobs whose videos show nothing, and would again.
    """
    assert job.accept is not None
    first, made, failed = attempt(job, 0), {}, set()
    for each in attempts(first):
        record = read_record(layout, each.job_id)
        if record is not None:
            made[each.attempt] = record
        elif each.job_id in lasting:
            failed.add(each.attempt)
        elif each.attempt >= job.accept.best_of - 1:
            break
    scores = {number: _scores(record, job) for number, record in made.items()}
    gone = [number for number, record in made.items() if is_dropped(record)]
    return Judged(first, made, scores, decide(job.accept, scores, gone, failed))


def write_down(judged: Judged, layout: OutputLayout) -> None:
    """Have the records of a job's clips say what was decided."""
    accept, first = judged.job.accept, judged.job.job_id
    for number, record in judged.made.items():
        say(record, layout, accept=conditions(accept), accepted=judged.accepted(number), attempt_of=first)
    for record in _beyond(judged, layout):
        say(record, layout, accepted=False)


def write_all_down(jobs: Iterable[Job], layout: OutputLayout, lasting: Collection[str] = ()) -> None:
    """Have the records of all attempts of `jobs` say what their manifest makes of them now."""
    recorded = recorded_ids(layout)
    for job in jobs:
        if job.accept is not None:
            if job.job_id in recorded or job.accept.best_of > 1:
                write_down(judge(job, layout, lasting), layout)
        elif job.job_id in recorded and (record := read_record(layout, job.job_id)) is not None:
            say(record, layout, accept=[], accepted=None, attempt_of=None)


def drop(judged: Judged, layout: OutputLayout, made_now: Collection[str]) -> None:
    """Remove the videos of rejected clips, where the job wants that, and have their records say so.

    Only what this run has made goes: a clip that was accepted once, and is not by other conditions, stays.
    """
    if judged.job.accept is None or judged.job.accept.rejected != "drop":
        return
    for number in judged.decision.rejected:
        record = judged.made.get(number)
        if record is not None and record["job_id"] in made_now and has_video(layout, record):
            _drop({**record, "accepted": False}, layout)


def _beyond(judged: Judged, layout: OutputLayout) -> Iterator[Mapping[str, Any]]:
    """Records of attempts that were allowed once, and are no more."""
    accept = judged.job.accept
    number = 1 if accept is None else accept.best_of + accept.max_reseeds
    while (record := read_record(layout, attempt(judged.job, number).job_id)) is not None:
        yield record
        number += 1


def say(record: Mapping[str, Any], layout: OutputLayout, **said: object) -> None:
    """Have a record say something else than it does."""
    if any(record.get(key) != value for key, value in said.items()):
        write_atomic(layout.record(record["job_id"]), json.dumps({**record, **said}, ensure_ascii=False) + "\n")


def conditions(accept: Acceptance | None) -> list[str]:
    """What is asked of a clip, as records have it."""
    return [] if accept is None else [str(each) for each in accept.conditions]


def _drop(record: Mapping[str, Any], layout: OutputLayout) -> None:
    """Remove a video that is this clip's own, and lies in the folder itself; the record says it before it is gone."""
    video = layout.folder / record["video"]
    try:
        if not video.resolve().is_relative_to(layout.folder.resolve()):
            return
        if read_metadata(video).get("job_id") != record["job_id"]:
            return
    except (OSError, VideoError):
        return
    say(record, layout, accepted=False, **DROPPED)
    for path in (video, layout.poster(record["job_id"]), layout.latents(record["job_id"])):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _scores(record: Mapping[str, Any], job: Job) -> Scores:
    """What a record says of the scores that can decide; nothing else that somebody may have written there.

    Nothing at all, as if nobody had looked, of a clip whose face counts and was not looked at.
    """
    scores = record.get("scores")
    found = scores.items() if isinstance(scores, dict) else ()
    known = {name: value for name, value in found if name in DECIDING and (value is None or _is_number(value))}
    sure = job.subject is not None and job.subject.on_no_face == "error"
    return {} if sure and asks_for_face(job) and "face_frames" not in known else known


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
