"""The prepared subject of a finished clip is found by its record, under the name that the run gave it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from jobs import make_job
from PIL import Image

from standin_batch.job import Subject
from standin_batch.output.columns import row_of
from standin_batch.output.layout import OutputLayout
from standin_batch.output.record import job_fields
from standin_batch.run.subject_files import subject_file
from standin_batch.run.subjects import Subjects

WEIGHTS = {"base": "b", "face": "f"}


def subject(path, kind="subject"):
    return Subject("ada", path, kind, "error", "0123")


def row(job):
    return row_of({**job_fields(job), "near_duplicate_of": None})


def test_it_is_the_file_that_the_run_has_made(tmp_path):
    picture = tmp_path / "ada.png"
    Image.new("RGB", (64, 64), "red").save(picture)
    layout = OutputLayout(tmp_path / "outputs")
    job = make_job(subject=subject(picture), weights=WEIGHTS)
    made = Subjects(layout.subjects, SimpleNamespace(), "cpu").prepare(job)
    assert subject_file(layout, row(job)) == made


@pytest.mark.parametrize("who", [None, subject(Path("gone.png")), subject(Path("gone.png"), "face")])
def test_what_is_not_there_is_not_found(tmp_path, who):
    assert subject_file(OutputLayout(tmp_path), row(make_job(subject=who, weights=WEIGHTS))) is None
