"""Reading journals: of several processes, and what crashes leave of them."""

from __future__ import annotations

import os
import socket
from contextlib import closing

import pytest

from standin_batch.run.journal import Journal, State
from standin_batch.run.journals import history, latest, runs


@pytest.fixture
def path(tmp_path):
    """The journal of a run at work, with two entries of a job."""
    journal = Journal(tmp_path)
    journal.write("a", "job a", State.RUNNING)
    journal.write("a", "job a", State.FAILED, "no face")
    (found,) = tmp_path.iterdir()
    return found


def test_no_journal_is_no_error(tmp_path):
    assert (latest(tmp_path / "nowhere"), history(tmp_path, "a"), runs(tmp_path)) == ({}, [], [])


def test_the_newest_state_counts(tmp_path):
    with closing(Journal(tmp_path)) as journal:
        journal.write("a", "job a", State.RUNNING)
        journal.write("a", "job a", State.FAILED, "no face")
        journal.write("b", "job b", State.RUNNING)
    found = latest(tmp_path)
    assert (found["a"].state, found["a"].error) == (State.FAILED, "no face")
    assert found["b"].state is State.RUNNING


def test_of_several_processes_at_work_the_newest_word_counts(tmp_path):
    with closing(Journal(tmp_path, worker="w0")) as one, closing(Journal(tmp_path, worker="w1")) as other:
        other.write("a", "job a", State.RUNNING)
        one.write("a", "job a", State.COMPLETED)
    assert (latest(tmp_path)["a"].state, latest(tmp_path)["a"].worker) == (State.COMPLETED, "w0")


def test_an_entry_says_which_process_on_which_machine_wrote_it(tmp_path):
    with closing(Journal(tmp_path, worker="w1")) as journal:
        journal.write("a", "job a", State.RUNNING)
    (entry,) = history(tmp_path, "a")
    assert (entry.pid, entry.host, entry.worker) == (os.getpid(), socket.gethostname(), "w1")
    (run,) = runs(tmp_path)
    assert run.wrote(entry)


def test_all_that_became_of_a_job_is_told_over_several_runs(tmp_path):
    for attempt, kind in ((1, "io"), (2, "")):
        with closing(Journal(tmp_path)) as journal:
            state = State.FAILED if kind else State.COMPLETED
            journal.write("a", "job a", state, "stuttered", kind=kind, hint="wait", attempt=attempt)
            journal.write("aa", "job aa", State.RUNNING)
    found = history(tmp_path, "a")
    assert [(entry.state, entry.kind, entry.hint, entry.attempt) for entry in found] == [
        (State.FAILED, "io", "wait", 1),
        (State.COMPLETED, "", "wait", 2),
    ]


def test_a_device_may_be_told_when_it_is_known(tmp_path):
    with closing(Journal(tmp_path)) as journal:
        journal.works_on("cuda:1")
        journal.write("a", "job a", State.RUNNING)
    (run,) = runs(tmp_path)
    assert run.device == "cuda:1"
    assert list(latest(tmp_path)) == ["a"]


def test_a_run_is_told_with_what_it_has_made(tmp_path):
    with closing(Journal(tmp_path, device="cuda:1")) as journal:
        (run,) = runs(tmp_path)
        assert (run.completed, run.first, run.last, run.ended) == (0, None, None, None)
        for job_id in "abc":
            journal.write(job_id, "job", State.COMPLETED)
        journal.write("d", "job", State.FAILED)
    (run,) = runs(tmp_path)
    first, last = (history(tmp_path, job_id)[0].at for job_id in "ac")
    assert (run.device, run.completed, run.first, run.last) == ("cuda:1", 3, first, last)
    assert run.ended > last


@pytest.mark.parametrize(
    "broken",
    [
        '{"job_id":"a","state":"COMP',
        '{"job_id":"a","state":"COMPLETED","at":2000000000.0,"label":"cut}',
        '{"job_id":"a","state":"UNHEARD_OF","at":2000000000.0}',
        '{"job_id":"b","at":1.0}',
        '{"job_id":"',
        "\0\0\0\0",
        "[]",
        "",
    ],
)
@pytest.mark.parametrize("end", ["", "\n"], ids=["at the end", "before others"])
def test_a_broken_line_is_passed_over(path, broken, end):
    whole = path.read_text()
    path.write_text(whole + broken + end)
    found = latest(path.parent)
    assert {job_id: entry.error for job_id, entry in found.items()} == {"a": "no face"}
    assert [entry.state for entry in history(path.parent, "a")] == [State.RUNNING, State.FAILED]
    assert runs(path.parent)[0].ended is None


@pytest.mark.parametrize("head", ["", "{", "[]", '{"run": {}}', '{"run": {"pid": "1"}}', "\0", "SQLite format 3"])
def test_a_file_that_does_not_say_whose_it_is_counts_as_none(path, head):
    _, *rest = path.read_text().splitlines()
    path.write_text("\n".join([head, *rest]))
    assert (latest(path.parent), history(path.parent, "a"), runs(path.parent)) == ({}, [], [])


def test_a_folder_that_cannot_be_written_can_be_read(path):
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        assert latest(path.parent)["a"].error == "no face"
    finally:
        path.parent.chmod(0o700)


def test_a_folder_may_be_called_anything(tmp_path):
    folder = tmp_path / "100% new? #1"
    with closing(Journal(folder)) as journal:
        journal.write("a", "job a", State.COMPLETED)
    assert list(latest(folder)) == ["a"]
    assert [run.pid for run in runs(folder)] == [os.getpid()]
