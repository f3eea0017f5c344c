"""Scoring the videos of an output folder anew, or for the first time, from its records: the CPU is enough."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standin_batch.face.detect import require_embedder, require_models
from standin_batch.files import write_atomic
from standin_batch.job import Job, Subject
from standin_batch.media.video import VideoInfo
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import has_video, read_record, read_records
from standin_batch.run.events import Listener, Warned
from standin_batch.run.job_facts import label_of
from standin_batch.run.judging import write_all_down
from standin_batch.run.scoring import Portrait, Scoring, ToScore
from standin_batch.scores.table import Scores
from standin_batch.weights.locate import locate_faces
from standin_batch.weights.registry import ROWS

NO_PHOTOGRAPH = "its clips are left as they are; put it back, or remove what no job owns: standin dataset gc"


@dataclass(frozen=True)
class Rescored:
    """What came of it.

    Attributes:
        scored: videos that have scores now.
        failed: videos that could not be scored.
        left: videos that were left as they are: they had scores before, or the photograph of who they show is gone.
        accepted_before: clips that their jobs took before.
        accepted: clips that they take now.
    """

    scored: int
    failed: int
    left: int
    accepted_before: int
    accepted: int


@dataclass(frozen=True)
class Rescoring:
    """Scores what lies in one folder.

    Attributes:
        layout: of the folder.
        jobs: of its manifest: they know the photographs, by content, and what is asked of the scores.
        frames: of each video that are looked at.
        checkpoints: the folder in place of each model's own.
        emit: is told what could not be scored.
    """

    layout: OutputLayout
    jobs: tuple[Job, ...]
    frames: int
    checkpoints: Path | None
    emit: Listener

    def run(self, only_missing: bool, step: Callable[[int, int], None]) -> Rescored:
        """Score each video that has a record, and have the records say what their jobs make of it.

        Args:
            only_missing: leave those that have scores.
            step: is told after each how many are through, and of how many.

        Raises:
            FaceModelsMissing: if clips are to be compared with photographs, and there is nothing to do it with. All
                scores are as they were.
        """
        people, before = _people(self.jobs), self._accepted()
        ids, left = self._to_do(only_missing, people)
        scoring = Scoring(self.layout, self.frames, self.emit)
        scored = failed = 0
        for number, job_id in enumerate(ids, start=1):
            record = read_record(self.layout, job_id)
            if record is not None and (scores := self._scores(record, people, scoring)):
                text = json.dumps({**record, "scores": scores}, ensure_ascii=False) + "\n"
                write_atomic(self.layout.record(job_id), text)
                scored += 1
            else:
                failed += 1
            step(number, len(ids))
        write_all_down(self.jobs, self.layout)
        return Rescored(scored, failed, left, before, self._accepted())

    def _accepted(self) -> int:
        return sum(record.get("accepted") is True for record in read_records(self.layout))

    def _to_do(self, only_missing: bool, people: Mapping[str, Subject]) -> tuple[list[str], int]:
        """Ids of the clips to score, whose face models are there; and how many are left as they are."""
        ids, left, models, gone = list[str](), 0, set[str](), dict[str, object]()
        for record in read_records(self.layout):
            if not has_video(self.layout, record):
                continue
            if only_missing and record.get("scores"):
                left += 1
            elif _shows_a_face(record) and (photograph := str(record.get("identity_sha256"))) not in people:
                gone[photograph] = record.get("identity")
                left += 1
            else:
                ids.append(record["job_id"])
                if _shows_a_face(record):
                    models.add(str(record.get("model")))
        self._require(models)
        for name in gone.values():
            self.emit(Warned(f"the photograph of {name} is not in the manifest any more", NO_PHOTOGRAPH))
        return ids, left

    def _require(self, models: Collection[str]) -> None:
        for model in sorted(set(models) & ROWS.keys()):
            folder = locate_faces(ROWS[model], self.checkpoints).detector
            require_models(folder)
            require_embedder(folder)

    def _scores(self, record: Mapping[str, Any], people: Mapping[str, Subject], scoring: Scoring) -> Scores:
        try:
            clip = self._to_score(record, people)
        except (KeyError, TypeError, AttributeError) as error:  # a record that somebody edited
            self.emit(Warned(f"the record {record['job_id']} is not whole: {error!r}", "delete it and run again"))
            return {}
        return scoring.score(clip)

    def _to_score(self, record: Mapping[str, Any], people: Mapping[str, Subject]) -> ToScore:
        info = VideoInfo(record["width"], record["height"], record["num_frames"], record["fps"])
        return ToScore(label_of(record), self.layout.folder / record["video"], info, self._portrait(record, people))

    def _portrait(self, record: Mapping[str, Any], people: Mapping[str, Subject]) -> Portrait | None:
        if not _shows_a_face(record):
            return None
        sha256 = record["identity_sha256"]
        return Portrait(people[sha256].image, sha256, locate_faces(ROWS[record["model"]], self.checkpoints))


def _shows_a_face(record: Mapping[str, Any]) -> bool:
    return record.get("identity_kind") == "face"


def _people(jobs: Iterable[Job]) -> dict[str, Subject]:
    return {job.subject.digest: job.subject for job in jobs if job.subject is not None}
