"""The queue of a group: order, pauses, and what goes together."""

from __future__ import annotations

from jobs import make_job

from standin_batch.run.job_queue import JobQueue, Turn

JOBS = [make_job(number) for number in range(5)]


def same(turn):
    return None


def ids(turns):
    return [int(turn.job.job_id) for turn in turns]


def test_jobs_come_in_order():
    queue = JobQueue(JOBS, wait=None)
    assert [ids(queue.take(2, same)) for _ in range(4)] == [[0, 1], [2, 3], [4], []]


def test_what_is_tried_again_comes_after_the_others_and_after_its_pause():
    waited = []
    queue = JobQueue(JOBS[:2], wait=waited.append)
    (first,) = queue.take(1, same)
    queue.put_back(first.again(0.05))
    assert ids(queue.take(9, same)) == [1]
    again = queue.take(9, same)
    assert ids(again) == [0]
    assert again[0].attempt == 2
    assert 0 < waited[0] <= 0.05


def test_what_is_put_first_comes_first():
    queue = JobQueue(JOBS, wait=None)
    taken = queue.take(3, same)
    queue.put_first(taken[1:])
    assert ids(queue.take(9, same)) == [1, 2, 3, 4]


def test_only_what_goes_together_is_taken_together():
    queue = JobQueue(JOBS, wait=None)

    def odd(turn):
        return int(turn.job.job_id) % 2

    assert [ids(queue.take(9, odd)) for _ in range(2)] == [[0, 2, 4], [1, 3]]


def test_an_attempt_counts_from_one():
    assert Turn(JOBS[0]).attempt == 1
