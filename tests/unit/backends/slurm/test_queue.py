"""What is made of Slurm's answers. The programs are scripts here, as the real ones are other processes."""

from __future__ import annotations

import pytest

from standin_batch.backends.slurm.client import SlurmError, ask_slurm, plain
from standin_batch.backends.slurm.queue import Task, parsed, tasks_named

ANSWER = """\
12|0|RUNNING|node1|None
12|1|PENDING||(Nodes required for job are DOWN, DRAINED or reserved)
12|2|CANCELLED|node2|None
12|3|COMPLETING|node2|None
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Puts a script in the place of a program."""

    def put(name, body):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return put


def test_tasks_are_told_by_rank_with_state_and_node(program):
    program("squeue", f"cat <<'END'\n{ANSWER}END")
    tasks = tasks_named("standin-a")
    assert list(tasks) == [0, 1, 2, 3]
    assert tasks[0] == Task("12", 0, "RUNNING", "node1", "None")
    assert [rank for rank, task in tasks.items() if task.waits] == [1]
    assert [rank for rank, task in tasks.items() if task.is_over] == [2]


def test_an_array_of_one_is_no_array_and_its_rank_is_the_first():
    assert list(parsed(["12|N/A|RUNNING|node1|None"])) == [Task("12", 0, "RUNNING", "node1", "None")]


def test_a_refusal_is_told_in_slurms_words(program):
    program("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(SlurmError, match="Unable to contact slurm controller") as caught:
        tasks_named("standin-a")
    assert caught.value.exit_code == 3


def test_a_program_that_is_not_there_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SlurmError, match="squeue cannot be started"):
        ask_slurm("squeue")


def test_what_changes_answers_is_kept_from_the_programs_and_what_names_the_cluster_is_not():
    given = {"SLURM_CONF": "a", "SQUEUE_FORMAT": "%i", "SLURM_JOB_ID": "7", "SCANCEL_INTERACTIVE": "1", "HOME": "/"}
    assert plain(given) == {"SLURM_CONF": "a", "HOME": "/"}
