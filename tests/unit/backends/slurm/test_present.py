"""Who of an array is shown as at work, by what workers say and what Slurm says of their tasks. `squeue` is a script."""

from __future__ import annotations

import pytest

from standin_batch.backends.crew.news import DIED, Gone, Joined
from standin_batch.backends.slurm.array import Array
from standin_batch.backends.slurm.present import REQUEUED, Present
from standin_batch.backends.slurm.watched import WatchedTasks
from standin_batch.run.events import WorkerLeft

WORKER, NEXT = "slurm-12_0", "slurm-12_0.1"
SIGTERM = Gone("SIGTERM", "stopped")


class Array12:
    """An array of one, whose state in Slurm can be set."""

    def __init__(self, queue):
        self.queue, self.told, self.is_ending = queue, [], False
        self.tasks = WatchedTasks(Array("standin-a", "12", ((),)), self.told.append)
        self.present = Present(self.tasks, self.told.append, lambda: self.is_ending)

    def joins(self, worker=WORKER):
        self.present.joins(worker, 0, Joined("node1", "cpu"))

    def says(self, gone, worker=WORKER):
        self.present.leaves(worker, gone)

    def is_in_state(self, state, **last):
        self.queue.write_text(f"12|0|{state}|node1|None\n" if state else "")
        assert self.tasks.look()
        self.present.look(**last)

    @property
    def left(self):
        return [(event.worker, event.why, event.again) for event in self.told if isinstance(event, WorkerLeft)]


@pytest.fixture
def array(tmp_path, monkeypatch):
    program = tmp_path / "squeue"
    program.write_text(f"#!/bin/sh\ncat {tmp_path / 'queue'}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("standin_batch.backends.slurm.watched.ASKS", 0.0)
    return Array12(tmp_path / "queue")


def test_who_was_killed_is_gone_when_slurm_says_so_twice_and_nothing_is_heard(array):
    array.joins()
    for state in ("RUNNING", "FAILED"):
        array.is_in_state(state)
    assert array.left == []
    array.is_in_state("FAILED")
    assert array.left == [(WORKER, "Slurm has ended it: FAILED", False)]
    array.says(Gone("", ""))
    assert len(array.left) == 1


def test_whose_last_words_come_meanwhile_leaves_by_them(array):
    array.joins()
    array.is_in_state("COMPLETED")
    array.says(Gone(""))
    array.is_in_state("COMPLETED")
    assert array.left == [(WORKER, "", False)]


def test_at_the_end_of_the_array_nobody_is_waited_for(array):
    array.joins()
    array.is_in_state("", last=True)
    assert array.left == [(WORKER, "Slurm does not know it any more", False)]


def test_who_is_stopped_as_its_task_is_requeued_leaves_for_another(array):
    array.joins()
    array.says(SIGTERM)
    array.is_in_state("COMPLETING")
    assert array.left == []
    array.is_in_state("PENDING")
    assert array.left == [(WORKER, REQUEUED, True)]


def test_who_was_lost_with_its_node_has_left_when_another_comes_in_its_place(array):
    array.joins()
    array.joins(NEXT)
    array.is_in_state("RUNNING")
    array.is_in_state("RUNNING")
    assert array.left == [(WORKER, REQUEUED, True)]


def test_who_is_cancelled_alone_leaves_by_slurms_word(array):
    array.joins()
    array.says(SIGTERM)
    array.is_in_state("CANCELLED")
    assert array.left == [(WORKER, "Slurm has ended it: CANCELLED", False)]


def test_who_ends_by_a_warning_and_may_not_be_requeued_any_more_says_so(array):
    array.joins()
    array.says(Gone("Slurm's USR2", "stopped"))
    array.is_in_state("COMPLETED")
    assert array.left == [(WORKER, "Slurm's USR2", False)]


def test_when_the_run_is_to_stop_that_a_worker_does_is_no_fault(array):
    array.joins()
    array.is_ending = True
    array.says(SIGTERM)
    assert array.left == [(WORKER, "", False)]


def test_a_fault_of_its_own_is_told_at_once(array):
    array.joins()
    array.says(Gone("RuntimeError: a", DIED))
    assert array.left == [(WORKER, "RuntimeError: a", False)]
