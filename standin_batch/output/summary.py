"""What an output folder amounts to, in numbers: counted from records and failures alone.

Nothing is read or written here, and nothing is worded for people: `report` and the command line do that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from standin_batch.output.counted import Acceptance, Counted, Pace, ScoreRow
from standin_batch.output.failed import FailedJob


@dataclass(frozen=True)
class Cause:
    """Failures that say the same.

    Attributes:
        kind: of the failure.
        cause: what went wrong.
        hint: what to do about the first of them; may be empty.
        labels: of the jobs, in their order.
    """

    kind: str
    cause: str
    hint: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """What an output folder amounts to.

    Attributes:
        clips: that were made, rejected ones included.
        completed: those that are not rejected.
        rejected: those that their jobs do not take.
        failed: jobs that have failed.
        frames: of the completed clips.
        video_seconds: that they play.
        video_bytes: that they weigh.
        seconds_by_phase: spent on all clips.
        paces: of denoising, by model, size and speed.
        peak_memory: bytes of GPU memory, of the clip that took most; None without a GPU.
        score_rows: by group, in the order of `GROUPINGS` and of the names.
        acceptance: of jobs that ask something of the scores.
        causes: of failures, the most frequent first.
    """

    clips: int
    completed: int
    rejected: int
    failed: int
    frames: int
    video_seconds: float
    video_bytes: int
    seconds_by_phase: Mapping[str, float]
    paces: tuple[Pace, ...]
    peak_memory: int | None
    score_rows: tuple[ScoreRow, ...]
    acceptance: Acceptance
    causes: tuple[Cause, ...]

    @property
    def seconds(self) -> float:
        """Spent on all clips, all phases together."""
        return sum(self.seconds_by_phase.values())


def summarise(records: Iterable[Mapping[str, Any]], failures: Iterable[FailedJob] = ()) -> Summary:
    """Count what was made, how long it took, how good it is, and what failed.

    Args:
        records: of finished clips, once through; what a record lacks is not counted.
        failures: of jobs that have no clip.
    """
    counted, failed = Counted(), tuple(failures)
    for record in records:
        counted.add(record)
    return Summary(
        clips=counted.clips,
        completed=counted.clips - counted.rejected,
        rejected=counted.rejected,
        failed=len(failed),
        frames=counted.frames,
        video_seconds=counted.video_seconds,
        video_bytes=counted.video_bytes,
        seconds_by_phase=dict(counted.seconds),
        paces=tuple(counted.paces()),
        peak_memory=counted.peak_memory,
        score_rows=tuple(counted.score_rows()),
        acceptance=counted.acceptance(),
        causes=_causes(failed),
    )


def _causes(failures: tuple[FailedJob, ...]) -> tuple[Cause, ...]:
    """Hints may name a job, so those of the first stand for all."""
    told: dict[tuple[str, str], list[FailedJob]] = {}
    for failure in failures:
        told.setdefault((failure.kind, failure.error), []).append(failure)
    causes = (Cause(*said, jobs[0].hint, tuple(job.label for job in jobs)) for said, jobs in told.items())
    return tuple(sorted(causes, key=lambda cause: -len(cause.labels)))
