"""The writer: tasks in order, in another thread, with an end."""

from __future__ import annotations

import threading

import pytest

from standin_batch.run import writer as writing
from standin_batch.run.outcomes import RunEnded
from standin_batch.run.stopping import Stop, Stopped
from standin_batch.run.writer import BACKLOG, Writer


def test_all_tasks_are_done_in_order_when_it_is_left():
    done = []
    with Writer(Stop()) as writer:
        for number in range(5):
            writer.submit(lambda number=number: done.append((number, threading.current_thread().name)))
    assert [number for number, _ in done] == list(range(5))
    assert all(name.startswith("writer") for _, name in done)


def test_what_a_task_raises_comes_out_and_ends_the_rest():
    done = []

    def fail():
        raise RuntimeError("disk full")

    def more():
        with Writer(Stop()) as writer:
            writer.submit(fail)
            for number in range(5):
                writer.submit(lambda number=number: done.append(number))

    with pytest.raises(RunEnded, match="disk full") as ended:
        more()
    assert ended.value.why == "machine", "no job is at fault: tasks see to their own job's faults"
    assert done == []


def test_no_more_than_the_backlog_waits():
    gate, submitted = threading.Event(), threading.Semaphore(0)

    def fill(writer):
        for _ in range(BACKLOG + 1):
            writer.submit(gate.wait)
            submitted.release()

    with Writer(Stop()) as writer:
        filler = threading.Thread(target=fill, args=(writer,))
        filler.start()
        for _ in range(BACKLOG):
            assert submitted.acquire(timeout=10)
        assert not submitted.acquire(timeout=0.1), "one too many waits until there is room"
        gate.set()
        filler.join(timeout=10)
        assert submitted.acquire(timeout=10)


def test_a_run_that_is_to_stop_waits_for_what_is_being_written():
    stop, done, begun, gate = Stop(), [], threading.Event(), threading.Event()

    def write():
        begun.set()
        gate.wait(10)
        done.append("written")

    with Writer(stop) as writer:
        writer.submit(write)
        begun.wait(10)
        stop.request("Ctrl-C")
        gate.set()
    assert done == ["written"]


def test_but_not_for_long(monkeypatch):
    monkeypatch.setattr(writing, "GRACE", 0.1)
    stop, begun, gate = Stop(), threading.Event(), threading.Event()

    def write():
        begun.set()
        gate.wait(10)

    def leave():
        with Writer(stop) as writer:
            writer.submit(write)
            begun.wait(10)
            stop.request("Ctrl-C")

    with pytest.raises(Stopped):
        leave()
    gate.set()


def test_what_is_left_behind_may_change_nothing_any_more(monkeypatch):
    """The lock of the folder is given back by then, and another run may be at work in it."""
    monkeypatch.setattr(writing, "GRACE", 0.1)
    stop, begun, gate, ended = Stop(), threading.Event(), threading.Event(), threading.Event()
    changed = []

    def write(writer):
        begun.set()
        gate.wait(10)
        try:
            writer.may_go_on()
            changed.append("the folder")
        finally:
            ended.set()

    def leave():
        with Writer(stop) as writer:
            writer.submit(lambda: write(writer))
            begun.wait(10)
            stop.request("Ctrl-C")

    with pytest.raises(Stopped):
        leave()
    gate.set()
    assert ended.wait(10)
    assert changed == []
