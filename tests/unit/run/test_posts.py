"""Posts of workers: who is at work is seen from outside, asked to stop, and never overrun."""

from __future__ import annotations

import os
import shlex
import signal

import pytest
from holding import Rests, held_elsewhere, long_ago, released, without_flock, write

from standin_batch.errors import ExitCode
from standin_batch.locks.held import HeldError
from standin_batch.output.layout import OutputLayout
from standin_batch.run.lock import LockedError, held
from standin_batch.run.posts import alone, at_post, at_work
from standin_batch.run.stop_request import ask, asked


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(tmp_path / "out")


@pytest.fixture
def worker(layout):
    """Another process at the post of worker w0, whose driver is gone."""
    with held_elsewhere(layout.worker("w0").lock) as process:
        yield process


def names(layout):
    return [post.name for post in at_work(layout)]


def test_where_no_crew_ever_was_nobody_is_at_work(layout):
    assert at_work(layout) == ()


def test_who_is_at_a_post_is_seen_until_he_leaves_it(layout):
    with at_post(layout, "w1"), at_post(layout, "w0"):
        assert names(layout) == ["w0", "w1"]
        assert {post.holder.pid for post in at_work(layout)} == {os.getpid()}
    assert at_work(layout) == ()


def test_also_where_the_file_system_has_no_locks(layout, monkeypatch):
    without_flock(monkeypatch)
    with at_post(layout, "w0"):
        assert names(layout) == ["w0"]
    assert at_work(layout) == ()


def test_two_processes_are_never_the_same_worker(layout, worker):
    with pytest.raises(HeldError, match=f"process {worker.pid} on"), at_post(layout, "w0"):
        pytest.fail("two at one post")


def test_a_killed_worker_is_gone(layout, worker):
    assert names(layout) == ["w0"]
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait(timeout=10)
    assert at_work(layout) == ()


def test_a_worker_on_another_machine_is_at_work_as_long_as_it_gives_a_sign_of_life(layout):
    write(layout.worker("far").lock, host="elsewhere")
    assert names(layout) == ["far"]
    long_ago(layout.worker("far").lock)
    assert at_work(layout) == ()


def test_one_worker_is_asked_to_stop_and_no_other(layout):
    with at_post(layout, "w0") as mine, held_elsewhere(layout.worker("w1").lock) as other:
        whom, _ = ask(layout.worker("w1"))
        assert whom.pid == other.pid
        assert asked(mine) is None
        ask(mine)
        assert asked(mine) is not None


def test_a_request_ends_with_the_worker_that_was_meant(layout):
    with at_post(layout, "w0") as place:
        ask(place)
    with at_post(layout, "w0") as place:
        assert asked(place) is None
        assert not place.stop.exists()


def test_a_name_is_made_safe(layout):
    with at_post(layout, "../../gpu 1/2"):
        assert names(layout) == ["gpu_1_2"]


def test_nobody_takes_a_folder_in_which_workers_go_on_without_their_driver(layout, worker):
    with pytest.raises(LockedError, match=rf"worker w0 \(process {worker.pid} on") as caught, alone(layout):
        pytest.fail("over the heads of the workers")
    assert caught.value.exit_code is ExitCode.LOCKED
    folder = shlex.quote(str(layout.folder))
    assert all(cure in caught.value.hint for cure in (f"standin stop {folder}", "standin run --wait"))
    with held(layout.lock):
        pass  # it was given back


def test_of_many_workers_some_are_named(layout):
    for number in range(5):
        write(layout.worker(f"w{number}").lock)
    with pytest.raises(LockedError, match=r"w0 .* w2 .* and 2 more"), alone(layout):
        pytest.fail("over the heads of the workers")


def test_who_waits_is_told_once_and_then_has_the_folder_alone(layout, worker):
    told = []
    rests = iter([lambda: None, lambda: released(worker)])
    with alone(layout, told.append, lambda _: next(rests)()):
        assert at_work(layout) == ()
    (sentence,) = told
    assert f"waiting for worker w0 (process {worker.pid} on" in sentence


def test_workers_of_a_dead_driver_may_be_given_time_to_end(layout, worker):
    rests = Rests(lambda: released(worker) if len(rests) == 3 else None)
    with alone(layout, rest=rests, patience=5):
        assert len(rests) == 3


def test_but_no_longer_than_that(layout, worker):
    rests = Rests()
    with pytest.raises(LockedError), alone(layout, rest=rests, patience=5):
        pytest.fail("over the heads of the workers")
    assert sum(rests) == 5
