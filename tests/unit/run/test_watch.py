"""The watch beside a run: deadlines, requests, and what is told."""

from __future__ import annotations

import queue
import time

import pytest

from standin_batch.run.stop_request import StopRequest
from standin_batch.run.stopping import Stop, Stopped
from standin_batch.run.watch import watching

REQUEST = StopRequest("host", 1, "born", "boot")


def test_a_deadline_that_passes_stops_the_run_and_is_told_once():
    stop, told = Stop(at=time.monotonic() + 0.1), queue.Queue()
    with watching(stop, lambda: None, told.put), pytest.raises(Stopped, match="the deadline"):
        stop.wait(30)
        raise AssertionError("it waited to the end")
    assert told.qsize() <= 1


def test_a_request_stops_the_run_and_the_reason_is_told():
    stop, told = Stop(), queue.Queue()
    with watching(stop, lambda: REQUEST, told.put):
        assert told.get(timeout=10) == "standin stop"
    assert stop.reason == "standin stop"


def test_while_nobody_asks_nothing_happens():
    stop, looked = Stop(), queue.Queue()
    with watching(stop, lambda: looked.put(True), lambda reason: None):
        for _ in range(2):
            looked.get(timeout=10)
    assert not stop.requested
