"""Scoring anew: what there is nothing to look with, or nothing to compare with, stays as it was."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from degraded import portrait
from jobs import make_job
from records import make_record, write_records

from standin_batch.face.detect import EMBEDDER, FaceModelsMissing
from standin_batch.files import sha256_file
from standin_batch.job import Subject
from standin_batch.output.layout import OutputLayout
from standin_batch.run.events import Warned
from standin_batch.run.rescoring import Rescored, Rescoring
from standin_batch.weights.tiny_faces import write_face_models

SCORES = {"face_similarity": 0.7, "sharpness": 100.0}


@pytest.fixture
def checkpoints(tmp_path):
    write_face_models(tmp_path / "checkpoints")
    return tmp_path / "checkpoints"


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(tmp_path / "out")


@pytest.fixture
def ada(tmp_path):
    """A job with a photograph."""
    path = tmp_path / "ada.png"
    portrait().save(path)
    return replace(make_job(), subject=Subject("ada", path, "face", "error", sha256_file(path)))


def of(job, number=0, **fields):
    return make_record(number, who="ada", identity_sha256=job.subject.digest, scores=SCORES, **fields)


def rescoring(layout, checkpoints, *jobs, told=None):
    return Rescoring(layout, jobs, 4, checkpoints, ([] if told is None else told).append)


def scores(layout):
    return [json.loads(path.read_text())["scores"] for path in sorted(layout.records.iterdir())]


def test_without_an_embedder_nothing_is_scored_and_old_scores_stay(layout, checkpoints, ada):
    next(checkpoints.rglob(EMBEDDER)).unlink()
    write_records(layout, [make_record(1, who=None, scores=SCORES), of(ada, 2)])
    with pytest.raises(FaceModelsMissing, match="no face embedder"):
        rescoring(layout, checkpoints, ada).run(False, lambda done, total: None)
    assert scores(layout) == [SCORES, SCORES]


def test_who_needs_no_face_models_is_not_asked_for_them(layout, checkpoints, ada):
    shutil.rmtree(checkpoints)
    write_records(layout, [make_record(1, who=None), of(ada, 2)])
    done = rescoring(layout, checkpoints, ada).run(True, lambda done, total: None)
    assert (done.failed, done.left) == (1, 1), "the first is no video; the other has scores"


def test_clips_whose_photograph_is_gone_are_left_and_told_of_once_for_each_photograph(layout, checkpoints):
    gone = [make_record(number, who="edith", scores=SCORES) for number in range(3)]
    write_records(layout, [*gone, make_record(3, who="grace", scores=SCORES)])
    told = []
    done = rescoring(layout, checkpoints, make_job(), told=told).run(False, lambda done, total: None)
    assert done == Rescored(scored=0, failed=0, left=4, accepted_before=0, accepted=0)
    assert scores(layout) == [SCORES] * 4
    assert [event.message.split(" is ")[0] for event in told if isinstance(event, Warned)] == [
        "the photograph of edith",
        "the photograph of grace",
    ]
