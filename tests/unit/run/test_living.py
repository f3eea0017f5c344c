"""Which runs of the journals are at work."""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import closing

import pytest
from holding import long_ago, write

from standin_batch.output.layout import OutputLayout
from standin_batch.run.journal import Journal, file_sink, new_path
from standin_batch.run.living import living
from standin_batch.run.posts import at_post


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(tmp_path)


def begun(layout, **changes):
    """A journal that some process has begun and not ended."""
    run = {"pid": os.getpid(), "host": socket.gethostname(), "born": "1", "started": time.time()}
    sink = file_sink(new_path(layout.journals, changes.get("worker", "")))
    sink(json.dumps({"run": {**run, "worker": "", "device": "", **changes}}) + "\n")


def workers(layout):
    return [run.worker for run in living(layout)]


def test_this_process_is_at_work_until_it_says_that_it_has_ended(layout):
    with closing(Journal(layout.journals)):
        assert [run.pid for run in living(layout)] == [os.getpid()]
    assert living(layout) == ()


def test_an_earlier_process_with_the_same_id_is_gone(layout):
    begun(layout)
    assert living(layout) == ()


def test_of_a_driver_on_another_machine_the_lock_of_the_folder_decides(layout):
    begun(layout, host="elsewhere", pid=7)
    assert living(layout) == (), "its word does not count"
    write(layout.lock, host="elsewhere", pid=7, born="1")
    assert [run.host for run in living(layout)] == ["elsewhere"]
    long_ago(layout.lock)
    assert living(layout) == ()


def test_of_a_worker_its_post_decides(layout):
    with at_post(layout, "w0"), closing(Journal(layout.journals, worker="w0")):
        assert workers(layout) == ["w0"]
    with closing(Journal(layout.journals, worker="w1")):
        assert workers(layout) == [], "it is at no post"


def test_of_a_worker_on_another_machine_too(layout):
    begun(layout, host="elsewhere", pid=7, worker="far")
    post = layout.worker("far").lock
    write(post, host="elsewhere", pid=7, born="1")
    assert workers(layout) == ["far"]
    long_ago(post)
    assert workers(layout) == []


def test_a_worker_of_the_same_name_that_was_killed_before_is_gone(layout):
    begun(layout, host="elsewhere", pid=7, worker="w0", started=time.time() - 3600)
    with at_post(layout, "w0"), closing(Journal(layout.journals, worker="w0")):
        (run,) = living(layout)
        assert run.pid == os.getpid()


def test_a_post_may_be_held_for_a_worker_that_does_not_see_the_folder(layout):
    with at_post(layout, "far"):
        begun(layout, host="elsewhere", pid=7, worker="far", started=time.time() + 1)
        assert workers(layout) == ["far"]
