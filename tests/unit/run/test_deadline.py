"""Deadlines: when, and what is worth beginning before."""

from __future__ import annotations

import time
from datetime import datetime, timezone

import pytest
from jobs import make_job

from standin_batch.errors import UsageError
from standin_batch.plan.cost import CostModel
from standin_batch.plan.state import state_of
from standin_batch.plan.work import job_flop
from standin_batch.run.deadline import USEFUL_STEPS, Deadline, seconds_until

NOW = datetime(2026, 1, 30, 22, 0, tzinfo=timezone.utc)
JOB = make_job(num_inference_steps=20)
TWENTY_SECONDS = CostModel({("tiny", "float32"): job_flop(JOB) / 20}, {("tiny", "float32"): 100.0})
LOADED = state_of(JOB)


@pytest.mark.parametrize(
    ("deadline", "max_time", "seconds"),
    [
        (None, None, None),
        ("06:00", None, 8 * 3600),
        ("22:30", None, 1800),
        ("21:59", None, 24 * 3600 - 60),
        ("2026-01-31T06:00", None, 8 * 3600),
        ("2026-01-31T07:00+01:00", None, 8 * 3600),
        (None, "6h", 6 * 3600),
        (None, "1h30m", 5400),
        ("06:00", "6h", 6 * 3600),
        ("22:30", "6h", 1800),
    ],
)
def test_the_earlier_of_the_two_counts(deadline, max_time, seconds):
    assert seconds_until(deadline, max_time, NOW) == seconds


@pytest.mark.parametrize(
    ("deadline", "max_time"),
    [
        ("6", None),
        ("25:00", None),
        ("06:60", None),
        ("2026-01-29T06:00", None),
        ("soon", None),
        (None, "6"),
        (None, "0s"),
    ],
)
def test_what_cannot_be_meant_is_refused(deadline, max_time):
    with pytest.raises(UsageError):
        seconds_until(deadline, max_time, NOW)


@pytest.mark.parametrize(("day", "hours"), [((3, 27), 6), ((10, 30), 8), ((1, 30), 7)])
def test_six_in_the_morning_is_when_the_clock_here_says_so(monkeypatch, day, hours):
    """Also in the nights in which it is put forward or back."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        now = datetime(2027, *day, 23, 0).astimezone()
        assert seconds_until("06:00", None, now) == hours * 3600
    finally:
        monkeypatch.undo()
        time.tzset()


def worth(left, before=LOADED, done=0.0, costs=TWENTY_SECONDS):
    return Deadline(left, costs).is_worth(JOB, before, 0.0, done)


def test_a_job_that_can_be_finished_is_begun():
    assert worth(21)


def test_one_that_can_be_usefully_saved_too():
    assert worth(USEFUL_STEPS + 0.5)
    assert not worth(USEFUL_STEPS - 0.5)


def test_the_end_of_one_that_is_saved_is_worth_less_time():
    assert worth(1.1, done=0.95)


def test_loading_the_weights_counts():
    assert not worth(100, before=None)
    assert worth(130, before=None)


def test_what_was_never_measured_is_begun_while_there_is_time():
    assert worth(0.1, costs=CostModel())
    assert not worth(-0.1, costs=CostModel())
