"""The stopwatch: each second is counted once."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from standin_batch import stopwatch as module
from standin_batch.stopwatch import OTHER, START, Stopwatch, beside, current, part


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes only when it is told to."""

    class Clock:
        now = 100.0

        def goes(self, seconds):
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr(module.time, "perf_counter", lambda: clock.now)
    return clock


def test_time_goes_to_the_innermost_part(clock):
    with Stopwatch().running() as stopwatch:
        clock.goes(1)
        with part("outer"):
            clock.goes(2)
            with part("inner"):
                clock.goes(4)
            clock.goes(8)
        clock.goes(16)
    assert stopwatch.seconds() == {OTHER: 17, "outer": 10, "inner": 4}


def test_parts_of_one_name_are_one(clock):
    with Stopwatch().running() as stopwatch:
        for _ in range(3):
            with part("again"):
                clock.goes(1)
    assert stopwatch.seconds()["again"] == 3


def test_the_part_at_work_counts_until_now(clock):
    with Stopwatch().running() as stopwatch, part("long"):
        clock.goes(1)
        assert stopwatch.seconds()["long"] == 1
        clock.goes(1)
        assert stopwatch.seconds()["long"] == 2


def test_what_was_before_it_is_the_start(clock):
    assert Stopwatch(3.0).seconds() == {START: 3.0, OTHER: 0}


def test_an_error_ends_its_parts(clock):
    with Stopwatch().running() as stopwatch:
        with pytest.raises(KeyboardInterrupt), part("outer"), part("inner"):
            clock.goes(1)
            raise KeyboardInterrupt
        clock.goes(2)
    assert stopwatch.seconds() == {"inner": 1, "outer": 0, OTHER: 2}


def test_parts_sum_to_the_time_that_passed():
    start = time.perf_counter()
    with Stopwatch().running() as stopwatch:
        for _ in range(1000):
            with part("one"), part("two"):
                pass
        found = stopwatch.seconds()
    assert sum(found.values()) == pytest.approx(time.perf_counter() - start, abs=1e-3)


def test_another_thread_has_its_own(clock):
    def work(other):
        with part("lost"):
            clock.goes(1)
        with other.running(), part("found"):
            clock.goes(2)

    with Stopwatch().running() as stopwatch:
        thread = threading.Thread(target=work, args=(beside(),))
        thread.start()
        thread.join()
    assert "lost" not in stopwatch.seconds()
    assert "found" not in stopwatch.seconds()
    assert [other.seconds()["found"] for other in stopwatch.beside] == [2]


def test_where_none_runs_parts_are_nothing():
    with part("nowhere"):
        pass
    assert current() is not current()


def test_how_long_this_process_exists_is_what_the_kernel_says():
    start = time.perf_counter()
    code = "from standin_batch.stopwatch import process_seconds; print(process_seconds())"
    told = float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert 0 < told <= time.perf_counter() - start + 0.02, "it counts in hundredths"
