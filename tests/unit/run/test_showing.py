"""The gallery of a run at work: how far it is, in jobs."""

from __future__ import annotations

import json

import pytest
from records import make_record, write_records

from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import OwnedJob
from standin_batch.run.showing import Showing

A, A_AGAIN, B, C = (f"{number:016x}" for number in range(4))


@pytest.fixture
def layout(tmp_path):
    """Three jobs: the first has made two videos, of which it takes the second; one video is of no job any more."""
    layout = OutputLayout(tmp_path / "out")
    accepted = {A: False, A_AGAIN: True, B: None, "f" * 16: None}
    write_records(layout, [make_record(job_id=job_id, accepted=taken) for job_id, taken in accepted.items()])
    layout.state.mkdir(exist_ok=True)
    jobs = (OwnedJob(A, (A_AGAIN,)), OwnedJob(B), OwnedJob(C))
    layout.owned.write_text("".join(f"{job.to_line()}\n" for job in jobs))
    return layout


def told(layout):
    text = layout.gallery_news.read_text(encoding="utf-8")
    return json.loads(text[text.index("{") : text.rindex("}") + 1])


def test_videos_and_jobs_are_counted_apart(layout):
    assert Showing(layout, 99).write(running=True) == 4
    assert (told(layout)["completed"], told(layout)["done"], told(layout)["total"]) == (4, 2, 3)


def test_where_no_run_has_said_which_the_jobs_are_their_number_is_the_callers(layout):
    layout.owned.unlink()
    Showing(layout, 99).write(running=True)
    assert (told(layout)["done"], told(layout)["total"]) == (4, 99)
