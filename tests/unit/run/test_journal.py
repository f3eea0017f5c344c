"""The journal: what this process writes down, so that others can read it at any moment."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest

from standin_batch.output.store import OutputError
from standin_batch.run.journal import Journal, State, file_sink, new_path
from standin_batch.run.journals import history, latest, runs


def written(folder):
    (path,) = folder.iterdir()
    return [json.loads(line) for line in path.read_text().splitlines()]


@contextmanager
def a_disk_of(size):
    """The kernel's limit on the size of files stands for the disk."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_the_first_line_tells_of_the_run_and_the_last_when_it_ended(tmp_path):
    with closing(Journal(tmp_path, worker="w1", device="cuda:0")) as journal:
        journal.write("a", "job a", State.FAILED, "no face", kind="input", attempt=1)
    first, entry, last = written(tmp_path)
    assert (first["run"]["pid"], first["run"]["host"]) == (os.getpid(), socket.gethostname())
    assert (first["run"]["worker"], first["run"]["device"]) == ("w1", "cuda:0")
    told = {"job_id": "a", "state": "FAILED", "label": "job a", "error": "no face", "kind": "input", "attempt": 1}
    assert entry == {**told, "at": entry["at"]}
    assert first["run"]["started"] <= entry["at"] <= last["ended"]


def test_an_entry_can_be_read_as_soon_as_it_is_written(tmp_path):
    with closing(Journal(tmp_path)) as journal:
        for state in (State.RUNNING, State.COMPLETED):
            journal.write("a", "job a", state)
            assert latest(tmp_path)["a"].state is state


def test_each_journal_has_a_file_of_its_own_that_names_its_process(tmp_path):
    for worker in ("", "", "gpu 1/2"):
        Journal(tmp_path, worker=worker).close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 3
    assert all(f"-{socket.gethostname()}-{os.getpid()}" in name for name in names)
    assert names[2].endswith("-gpu_1_2.jsonl")


def test_a_killed_process_loses_no_entry(tmp_path):
    script = (
        "import os, pathlib, signal\n"
        "from standin_batch.run.journal import Journal, State\n"
        f"journal = Journal(pathlib.Path({str(tmp_path)!r}))\n"
        "for i in range(1000): journal.write(str(i), 'job', State.FAILED, 'x' * 200)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    assert len(latest(tmp_path)) == 1000


def test_what_a_full_disk_does_not_take_costs_only_itself(tmp_path, caplog):
    with closing(Journal(tmp_path)) as journal:
        journal.write("a", "job a", State.RUNNING)
        (path,) = tmp_path.iterdir()
        with a_disk_of(path.stat().st_size + 20):
            journal.write("a", "job a", State.FAILED, "cut short")
            journal.write("a", "job a", State.FAILED, "lost")
        journal.write("b", "job b", State.RUNNING)
    assert {job_id: entry.state for job_id, entry in latest(tmp_path).items()} == dict.fromkeys("ab", State.RUNNING)
    assert len(caplog.records) == 2
    (run,) = runs(tmp_path)
    assert run.ended is not None


def test_a_folder_that_cannot_be_written_ends_the_run_at_its_beginning(tmp_path):
    (tmp_path / "journal").write_text("a file")
    with pytest.raises(OutputError, match="journal cannot be written"):
        Journal(tmp_path / "journal")


def test_a_worker_that_does_not_see_the_folder_hands_its_lines_to_somebody_who_does(tmp_path):
    lines = []
    with closing(Journal(lines.append, worker="far", device="cpu")) as journal:
        journal.write("a", "job a", State.COMPLETED)
    assert not any(tmp_path.iterdir())
    sink = file_sink(new_path(tmp_path / "journal", "far"))
    for line in lines:
        sink(line)
    (run,) = runs(tmp_path / "journal")
    assert (run.worker, run.completed, run.ended is not None) == ("far", 1, True)


@pytest.mark.parametrize(
    "text",
    ["two\nlines", '","state":"COMPLETED","at":1.0,"', '\n{"job_id":"a"', "一个女人 🙂", "\0\x1b", "\ud83d"],
    ids=ascii,
)
def test_any_text_comes_back_as_it_was(tmp_path, text):
    with closing(Journal(tmp_path)) as journal:
        journal.write("a", text, State.FAILED, text)
    (entry,) = history(tmp_path, "a")
    assert (entry.label, entry.error) == (text, text)
    assert latest(tmp_path) == {"a": entry}
    assert [run.completed for run in runs(tmp_path)] == [0]
