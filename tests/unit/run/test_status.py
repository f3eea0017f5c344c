"""Where an output folder stands, from records and journals alone."""

from __future__ import annotations

import json
import os
import time
from contextlib import closing

import pytest

from standin_batch.output.layout import OutputLayout
from standin_batch.run.journal import Journal, State
from standin_batch.run.status import read_status

FAST = 6.0
"""Seconds for 100,000 records."""


@pytest.fixture
def layout(tmp_path):
    found = OutputLayout(tmp_path)
    found.records.mkdir()
    found.state.mkdir()
    return found


@pytest.fixture
def journal(layout):
    with closing(Journal(layout.journals)) as opened:
        yield opened


def record(layout, *job_ids):
    for job_id in job_ids:
        layout.record(job_id).touch()


def own(layout, *job_ids):
    layout.owned.write_text("\n".join(job_ids))


def test_jobs_of_the_manifest_without_any_state_are_pending(layout, journal):
    own(layout, "a", "b", "c", "d", "e")
    record(layout, "a")
    journal.write("b", "job b", State.RUNNING)
    journal.write("c", "job c", State.FAILED, "no face")
    found = read_status(layout.folder)
    assert found.counts == {"COMPLETED": 1, "RUNNING": 1, "REQUEUED": 0, "FAILED": 1, "CANCELLED": 0, "PENDING": 2}
    assert (found.total, found.active) == (5, True)
    assert [(job.label, job.error) for job in (*found.running, *found.failed)] == [("job b", ""), ("job c", "no face")]


def test_records_of_other_jobs_are_counted_apart(layout):
    own(layout, "a", "b")
    record(layout, "a", "old", "older")
    found = read_status(layout.folder)
    assert (found.counts["COMPLETED"], found.counts["PENDING"], found.other) == (1, 1, 2)


def test_before_any_run_the_manifest_says_how_many(layout):
    record(layout, "a")
    assert read_status(layout.folder, total=3).counts["PENDING"] == 2
    assert "PENDING" not in read_status(layout.folder).counts


def test_a_record_outweighs_the_journal(layout, journal):
    journal.write("a", "job a", State.FAILED, "no face")
    record(layout, "a")
    assert read_status(layout.folder).failed == ()


def changed_run(layout, **changes):
    """Let the only journal tell something else of its run."""
    (path,) = layout.journals.iterdir()
    head, *rest = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({"run": {**json.loads(head)["run"], **changes}}), *rest, ""]))


def entries(layout, *rows):
    """Put so many entries into the only journal: id, state and time."""
    (path,) = layout.journals.iterdir()
    with path.open("a") as file:
        for job_id, state, at in rows:
            file.write(f'{{"job_id":"{job_id}","state":"{state}","at":{at!r},"label":"job","attempt":1}}\n')


def completed(layout, started, *moments):
    """A run at work that began, and made videos, so many seconds ago."""
    own(layout, *"abcdef")
    now = time.time()
    record(layout, *"abcdef"[: len(moments)])
    changed_run(layout, started=now - started)
    entries(layout, *((job_id, "COMPLETED", now - moment) for job_id, moment in zip("abcdef", moments, strict=False)))


def test_what_is_left_goes_by_the_pace_between_videos_as_loading_comes_but_once(layout, journal):
    own(layout, *"abcdef")
    assert read_status(layout.folder).seconds_left is None
    completed(layout, 300, 100, 80, 60, 40)
    found = read_status(layout.folder)
    assert found.seconds == pytest.approx(300, abs=1)
    assert found.seconds_left == pytest.approx(2 * 20 - 40, abs=1)


def test_with_one_video_it_goes_by_the_whole(layout, journal):
    completed(layout, 100, 40)
    assert read_status(layout.folder).seconds_left == pytest.approx(5 * 60 - 40, abs=1)


def test_a_run_that_has_ended_is_not_at_work(layout):
    with closing(Journal(layout.journals)):
        assert read_status(layout.folder).active
    found = read_status(layout.folder)
    assert (found.active, found.seconds, found.seconds_left) == (False, None, None)


def test_a_later_process_with_the_same_id_is_not_the_run(layout, journal):
    journal.write("a", "job a", State.RUNNING)
    changed_run(layout, born="1")
    assert read_status(layout.folder).counts["CANCELLED"] == 1


@pytest.mark.timing
def test_a_hundred_thousand_records_are_read_in_no_time(layout, journal):
    ids = [f"{number:016x}" for number in range(100_000)]
    own(layout, *ids)
    for job_id in ids:
        os.close(os.open(f"{layout.records}/{job_id}.json", os.O_CREAT))
    entries(layout, *((job_id, state, 1.0) for job_id in ids for state in ("RUNNING", "FAILED", "COMPLETED")))
    start = time.perf_counter()
    found = read_status(layout.folder)
    assert time.perf_counter() - start < FAST
    assert found.counts["COMPLETED"] == 100_000
