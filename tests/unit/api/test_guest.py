"""What a run changes for the whole process is undone when it has ended."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import warnings

import pytest

from standin_batch.api.guest import alone, as_guest
from standin_batch.api.running import Listeners
from standin_batch.engine.quiet import OFFLINE, to_log
from standin_batch.errors import UsageError
from standin_batch.run.events import Warned
from standin_batch.run.log import log_to
from standin_batch.run.stopping import Stop, Stopped, listening


def test_the_log_is_somebody_elses_again(tmp_path):
    root, mine = logging.getLogger(), logging.FileHandler(tmp_path / "mine.log")
    before, level, shown = root.handlers[:], root.level, warnings.showwarning
    root.addHandler(mine)
    try:
        for _ in range(2):
            with as_guest():
                log_to(tmp_path / "log.jsonl")
                logging.warning("of the run")
            logging.warning("of the notebook")
        assert root.handlers == [*before, mine]
        assert (root.level, warnings.showwarning) == (level, shown)
    finally:
        root.removeHandler(mine)
        mine.close()
    assert (tmp_path / "mine.log").read_text().splitlines() == ["of the notebook"] * 2
    assert (tmp_path / "log.jsonl").read_text().count("of the run") == 2


def test_libraries_may_download_again(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    for name in OFFLINE.keys() - {"HF_HUB_OFFLINE"}:
        monkeypatch.delenv(name, raising=False)
    with as_guest(), to_log():
        assert os.environ["DIFFSYNTH_SKIP_DOWNLOAD"] == "True"
    assert os.environ["HF_HUB_OFFLINE"] == "0"
    assert "DIFFSYNTH_SKIP_DOWNLOAD" not in os.environ


def test_a_second_run_in_the_process_is_refused():
    with alone(), pytest.raises(UsageError, match="another run is at work"), alone():
        raise AssertionError("two at once")
    with alone():
        pass


def test_a_second_interrupt_stops_at_once_and_leaves_the_process_alone():
    before = threading.active_count()
    stop = Stop(may_leave=False)
    with listening(stop):
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.reason == "Ctrl-C"
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGINT)
        assert threading.active_count() == before, "nobody waits to end it"


def test_a_listener_that_fails_stops_the_run_and_is_not_called_again():
    told = []

    def fails(event):
        told.append(event)
        raise ValueError("mine")

    stop = Stop()
    listeners = Listeners(stop, [fails])
    listeners(Warned("one"))
    listeners(Warned("two"))
    assert told == [Warned("one")]
    assert stop.requested
    assert str(listeners.fault) == "mine"


def test_listeners_are_told_one_event_at_a_time():
    inside, most = [], []

    def slow(event):
        inside.append(event)
        for _ in range(2_000):
            most.append(len(inside))
        inside.pop()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        listeners = Listeners(Stop(), [slow])
        threads = [threading.Thread(target=listeners, args=(Warned(str(number)),)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert max(most) == 1


def test_what_a_listener_prints_is_heard_also_from_within_a_library(capsys):
    listeners = Listeners(Stop(), [lambda event: print(event.message)])
    with to_log():
        listeners(Warned("a step"))
    assert capsys.readouterr().out == "a step\n"
