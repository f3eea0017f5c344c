"""Clips that were made and not looked at, as a process leaves them that was killed: they are looked at later."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from standin_batch.job import Job
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import has_video, read_record
from standin_batch.run.events import Listener
from standin_batch.run.judging import say
from standin_batch.run.preparing import preparing
from standin_batch.run.profile import SCORE
from standin_batch.run.scoring import Scoring, video_of
from standin_batch.stopwatch import part
from standin_batch.weights.locate import locate_faces
from standin_batch.weights.registry import ROWS


def score_made(
    jobs: Sequence[Job], layout: OutputLayout, frames: int, checkpoints: Path | None, emit: Listener
) -> None:
    """Look at those clips of `jobs` that are made and have no scores; nobody else may write their records meanwhile.

    Args:
        jobs: whose clips are looked at.
        layout: of the output folder.
        frames: of each video that are looked at.
        checkpoints: the folder in place of each model's own.
        emit: is told what could not be scored.
    """
    if not jobs:
        return
    scoring = Scoring(layout, frames, emit)
    with preparing(emit, f"scoring {len(jobs)} of the clips made before"):
        for job in jobs:
            record = read_record(layout, job.job_id)
            if record is not None and has_video(layout, record) and not record.get("scores"):
                video = layout.folder / record["video"]
                with part(SCORE):
                    scores = scoring.score(video_of(job, video, locate_faces(ROWS[job.model], checkpoints)))
                if scores:
                    say(record, layout, scores=scores)
