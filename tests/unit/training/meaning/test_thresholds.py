"""When a number is good enough."""

from __future__ import annotations

import pytest

from training.meaning.thresholds import FEW, THRESHOLDS, Bar, missed


@pytest.mark.parametrize(
    ("bar", "value", "met"),
    [
        (Bar(least=0.9), 0.9, True),
        (Bar(least=0.9), 0.89, False),
        (Bar(most=3.0), 3.0, True),
        (Bar(most=3.0), 3.1, False),
        (Bar(least=0.1, most=0.2), 0.3, False),
        (Bar(most=3.0), None, False),
        (Bar(most=3.0), float("nan"), False),
    ],
)
def test_a_bar_counts_itself_and_needs_a_value(bar, value, met):
    assert bar.met(value) is met


def test_a_bar_is_told_in_short():
    assert str(Bar(least=0.9)) == ">= 0.9"
    assert str(Bar(least=0.1, most=0.25)) == ">= 0.1 <= 0.25"


def test_what_was_not_measured_is_missed():
    assert missed({"a": 1.0, "b": None}, {"a": Bar(least=1), "b": Bar(least=1), "c": Bar(most=1)}) == ("b", "c")


def test_the_issue_s_own_bars_stand():
    assert THRESHOLDS["identity: top-1"].least >= 0.9
    assert THRESHOLDS["adapter off: top-1"].most <= 0.1


def test_in_short_nothing_else_is_asked_for():
    assert set(FEW) <= set(THRESHOLDS)
