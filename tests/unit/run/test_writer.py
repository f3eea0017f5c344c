"""The writer: tasks in order, in another thread, with an end."""

from __future__ import annotations

import _thread
import threading

import pytest

from standin_batch.run.writer import BACKLOG, Writer


def test_all_tasks_are_done_in_order_when_it_is_left():
    done = []
    with Writer() as writer:
        for number in range(5):
            writer.submit(lambda number=number: done.append((number, threading.current_thread().name)))
    assert [number for number, _ in done] == list(range(5))
    assert all(name.startswith("writer") for _, name in done)


def test_what_a_task_raises_comes_out():
    def fail():
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"), Writer() as writer:
        writer.submit(fail)


def test_no_more_than_the_backlog_waits():
    gate, submitted = threading.Event(), threading.Semaphore(0)

    def fill(writer):
        for _ in range(BACKLOG + 1):
            writer.submit(gate.wait)
            submitted.release()

    with Writer() as writer:
        filler = threading.Thread(target=fill, args=(writer,))
        filler.start()
        for _ in range(BACKLOG):
            assert submitted.acquire(timeout=10)
        assert not submitted.acquire(timeout=0.1), "one too many waits until there is room"
        gate.set()
        filler.join(timeout=10)
        assert submitted.acquire(timeout=10)


def test_an_interrupt_waits_for_what_is_being_written():
    done, gate = [], threading.Event()

    def interrupt():
        gate.wait()
        _thread.interrupt_main()
        done.append("written")

    with pytest.raises(KeyboardInterrupt), Writer() as writer:
        writer.submit(interrupt)
        gate.set()
    assert done == ["written"]
