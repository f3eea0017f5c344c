"""What is told of tasks that wait in Slurm's queue. The clock is the test's."""

from __future__ import annotations

from standin_batch.backends.slurm.queue import parsed
from standin_batch.backends.slurm.waiting import AFTER, AGAIN, Waiting

DOWN = "(Nodes required for job are DOWN, DRAINED or reserved)"


def told_of(*looks):
    """The messages and cures, by queues as they are at times: a reason for each task, or None of one that runs."""
    told, now = [], [0.0]
    waiting = Waiting(told.append, 3, lambda: now[0])
    for now[0], *reasons in looks:
        waiting.look(parsed(f"12|{rank}|{'PENDING' if why else 'RUNNING'}||{why}" for rank, why in enumerate(reasons)))
    return [(event.message.removeprefix("Slurm keeps "), event.hint) for event in told]


def test_a_turn_that_comes_soon_is_not_told():
    assert told_of((0, "None", "Priority"), (AFTER - 1, "Resources"), (AFTER, None), (99, "Resources")) == []


def test_who_waits_longer_is_told_with_how_many_and_why_once():
    looks = [(second, "Resources", "Resources", None) for second in range(0, 600, 5)]
    assert told_of(*looks) == [("2 of 3 workers waiting: Resources", "squeue --start --jobs=12")]


def test_what_is_new_is_told_once_a_minute():
    first, later = (0, "Resources"), (AFTER, "Resources")
    soon, late = (AFTER + AGAIN - 1, "Resources", DOWN), (AFTER + AGAIN, "Resources", DOWN, "None")
    one, all_three = told_of(first, later, soon, late)
    assert one[0] == "1 of 3 workers waiting: Resources"
    assert all_three[0] == f"3 of 3 workers waiting: Resources (1), {DOWN} (1), it has not said why (1)"
    assert all_three[1] == "scontrol show job 12"


def test_who_waits_again_is_told_again():
    first, none, again = (AFTER, "BeginTime"), (AFTER + 5, None), (AFTER + AGAIN, "BeginTime")
    assert len(told_of((0, "BeginTime"), first, none, again, (again[0] + AFTER, "BeginTime"))) == 2
