"""The journal: what became of each job, over several processes and crashes."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

from standin_batch.run.journal import Journal, State, history, latest
from standin_batch.run.status import read_status


def test_the_newest_state_counts(tmp_path):
    with closing(Journal(tmp_path)) as journal:
        journal.write("a", "job a", State.RUNNING)
        journal.write("a", "job a", State.FAILED, "no face")
        journal.write("b", "job b", State.RUNNING)
    found = latest(tmp_path)
    assert (found["a"].state, found["a"].error) == (State.FAILED, "no face")
    assert found["b"].state is State.RUNNING


def test_it_can_be_read_while_it_is_written(tmp_path):
    with closing(Journal(tmp_path)) as journal:
        journal.write("a", "job a", State.RUNNING)
        assert latest(tmp_path)["a"].state is State.RUNNING


def test_a_broken_journal_is_passed_over(tmp_path):
    (tmp_path / "20260101T000000-1.sqlite").write_bytes(b"SQLite format 3\0 and then nothing")
    with closing(Journal(tmp_path)) as journal:
        journal.write("a", "job a", State.COMPLETED)
    assert list(latest(tmp_path)) == ["a"]


def test_no_journal_is_no_error(tmp_path):
    assert latest(tmp_path / "nowhere") == {}


def test_a_job_of_a_killed_process_was_cancelled(tmp_path):
    folder = tmp_path / ".standin" / "journal"
    script = (
        "import os, pathlib, signal\n"
        "from standin_batch.run.journal import Journal, State\n"
        f"Journal(pathlib.Path({str(folder)!r})).write('a', 'job a', State.RUNNING)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    assert latest(folder)["a"].state is State.RUNNING, "what was written before the kill is there"
    assert read_status(tmp_path).counts["CANCELLED"] == 1


def test_a_folder_without_runs_has_no_jobs(tmp_path):
    assert set(read_status(tmp_path / "none").counts.values()) == {0}


def test_all_that_became_of_a_job_is_told_over_several_runs(tmp_path):
    for attempt, kind in ((1, "io"), (2, "")):
        with closing(Journal(tmp_path / "journal")) as journal:
            state = State.FAILED if kind else State.COMPLETED
            journal.write("a", "job a", state, "stuttered", kind=kind, hint="wait", attempt=attempt)
            journal.write("b", "job b", State.RUNNING)
        (next((tmp_path / "journal").glob("2*.sqlite"))).rename(tmp_path / "journal" / f"{attempt}.sqlite")
    found = history(tmp_path / "journal", "a")
    assert [(entry.state, entry.kind, entry.hint, entry.attempt) for entry in found] == [
        (State.FAILED, "io", "wait", 1),
        (State.COMPLETED, "", "wait", 2),
    ]


def test_a_run_that_has_ended_leaves_one_file_also_when_it_is_read(tmp_path):
    with closing(Journal(tmp_path)) as journal:
        journal.write("a", "job a", State.COMPLETED)
        latest(tmp_path)
    latest(tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".sqlite"]
