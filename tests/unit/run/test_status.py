"""Where an output folder stands, from records and journals alone."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from standin_batch.output.layout import OutputLayout
from standin_batch.run.journal import Journal, State, latest, runs
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


def completed(layout, started, *moments):
    """A run at work that began, and made videos, so many seconds ago."""
    own(layout, *"abcdef")
    now, path = time.time(), next(layout.journals.glob("*.sqlite"))
    record(layout, *"abcdef"[: len(moments)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE run SET started = ?", (now - started,))
        for job_id, moment in zip("abcdef", moments, strict=False):
            row = (now - moment, job_id, "job", "COMPLETED", "", os.getpid(), "", "", 1)
            connection.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


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
    (path,) = layout.journals.glob("*.sqlite")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE run SET born = '1'")
    assert read_status(layout.folder).counts["CANCELLED"] == 1


def test_a_killed_run_loses_no_entry_and_blocks_no_reader(layout):
    script = (
        "import os, pathlib, signal\n"
        "from standin_batch.run.journal import Journal, State\n"
        f"journal = Journal(pathlib.Path({str(layout.journals)!r}))\n"
        "for i in range(1000): journal.write(str(i), 'job', State.FAILED, 'x' * 200)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    assert len(latest(layout.journals)) == 1000
    assert not read_status(layout.folder).active


def test_a_folder_that_cannot_be_written_can_be_read(layout):
    with closing(Journal(layout.journals)) as journal:
        journal.write("a", "job a", State.FAILED, "no face")
    layout.journals.chmod(0o500)
    try:
        assert latest(layout.journals)["a"].error == "no face"
    finally:
        layout.journals.chmod(0o700)


def test_a_folder_may_be_called_anything(tmp_path):
    folder = tmp_path / "100% new? #1"
    with closing(Journal(folder)) as journal:
        journal.write("a", "job a", State.COMPLETED)
    assert list(latest(folder)) == ["a"]
    assert [run.pid for run in runs(folder)] == [os.getpid()]


@pytest.mark.timing
def test_a_hundred_thousand_records_are_read_in_no_time(layout, journal):
    ids = [f"{number:016x}" for number in range(100_000)]
    own(layout, *ids)
    for job_id in ids:
        os.close(os.open(f"{layout.records}/{job_id}.json", os.O_CREAT))
    path = next(layout.journals.glob("*.sqlite"))
    with closing(sqlite3.connect(path)) as connection, connection:
        states = ("RUNNING", "FAILED", "COMPLETED")
        rows = ((1.0, job_id, "job", state, "", 1, "", "", 1) for job_id in ids for state in states)
        connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    start = time.perf_counter()
    found = read_status(layout.folder)
    assert time.perf_counter() - start < FAST
    assert found.counts["COMPLETED"] == 100_000
