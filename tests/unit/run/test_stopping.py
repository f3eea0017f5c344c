"""Stopping: wishes, where they are heard, and how soon."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from standin_batch.run.stopping import Stop, Stopped, listening


def test_a_signal_is_heard_at_the_next_place_for_it():
    stop = Stop()
    with listening(stop):
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.requested, "and nothing was interrupted"
        with pytest.raises(Stopped, match="SIGTERM"):
            stop.check()


def test_where_there_is_nothing_to_save_it_interrupts():
    stop = Stop()

    def work():
        with stop.at_once():
            os.kill(os.getpid(), signal.SIGINT)
            raise AssertionError("it went on")

    with listening(stop), pytest.raises(Stopped, match="Ctrl-C"):
        work()


def test_what_was_wished_before_such_a_block_is_not_forgotten_in_it():
    stop = Stop()
    stop.request("Ctrl-C")
    with pytest.raises(Stopped), stop.at_once():
        raise AssertionError("it was begun")


def test_a_second_signal_interrupts_wherever_it_comes(monkeypatch):
    left = []
    monkeypatch.setattr("standin_batch.run.stopping.leave_soon", lambda: left.append(True))
    stop = Stop()
    with listening(stop):
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGINT)
    assert left == [True], "and leaves if that takes too long"


@pytest.mark.parametrize("first", ["file", "signal"])
def test_a_scheduler_that_repeats_itself_does_not_interrupt_what_is_being_saved(monkeypatch, first):
    left = []
    monkeypatch.setattr("standin_batch.run.stopping.leave_soon", lambda: left.append(True))
    stop = Stop(by_signals=False)
    with listening(stop):
        stop.interrupt("standin stop") if first == "file" else os.kill(os.getpid(), signal.SIGTERM)
        assert stop.requested
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert not left
        with pytest.raises(Stopped):
            stop.insist()
    assert left == [True], "who asks twice by a file is obeyed at once"


def test_a_closed_terminal_does_no_harm():
    stop = Stop()
    with listening(stop):
        os.kill(os.getpid(), signal.SIGHUP)
    assert not stop.requested


def test_afterwards_signals_are_what_they_were():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with listening(Stop()):
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_another_thread_interrupts_as_a_signal_would():
    stop = Stop()
    with listening(stop):
        other = threading.Thread(target=stop.interrupt, args=("the deadline",))
        with pytest.raises(Stopped, match="the deadline"), stop.at_once():
            other.start()
            other.join()
            signal.sigtimedwait([], 1)  # a moment, in which the signal arrives


def test_in_a_thread_that_cannot_listen_a_wish_is_a_wish():
    stop, heard = Stop(), []

    def run():
        with listening(stop):
            stop.interrupt("the deadline")
            heard.append(stop.reason)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert heard == ["the deadline"]


def test_a_pause_ends_when_the_run_is_to_stop():
    stop = Stop()
    threading.Timer(0.05, stop.request, ["Ctrl-C"]).start()
    start = time.monotonic()
    with pytest.raises(Stopped):
        stop.wait(30)
    assert time.monotonic() - start < 10


def test_a_step_that_would_end_after_the_deadline_is_not_begun():
    stop = Stop(at=time.monotonic() + 60)
    assert not stop.is_near(1)
    assert stop.is_near(61)
    assert stop.reason == "the deadline"


def test_a_pause_ends_at_the_deadline():
    stop = Stop(at=time.monotonic() + 0.1)
    with pytest.raises(Stopped, match="the deadline"):
        stop.wait(30)


def test_the_watch_wishing_twice_is_no_second_signal(monkeypatch):
    left = []
    monkeypatch.setattr("standin_batch.run.stopping.leave_soon", lambda: left.append(True))
    stop = Stop()
    with listening(stop):
        os.kill(os.getpid(), signal.SIGTERM)
        stop.interrupt("the deadline")
    assert left == []
    assert stop.reason == "SIGTERM"
