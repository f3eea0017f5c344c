"""Rows of a benchmark: bars, and what was not measured."""

from __future__ import annotations

import pytest

from benchmarks.common import NOT_MEASURED, Report, Row, as_json, number, publish


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("ratio", 0.14, most=0.15), True),
        (Row("ratio", 0.16, most=0.15), False),
        (Row("share", 0.8, least=0.8), True),
        (Row("share", 0.79, least=0.8), False),
        (Row("share", None, least=0.8), None),
        (Row("seconds", 3.0, "s"), None),
    ],
)
def test_a_bar_is_met_or_missed_only_by_what_was_measured(row, met):
    assert row.met is met


def test_what_was_not_measured_says_so_and_nothing_else(capsys):
    report = Report("a question", [Row("on a GPU", unit="s", least=0.8)])
    publish(report, None)
    line = next(line for line in capsys.readouterr().out.splitlines() if "on a GPU" in line)
    assert line.split() == ["on", "a", "GPU", "not", "measured", ">=", "0.8"]
    assert as_json(report)["rows"][0]["value"] == NOT_MEASURED


def test_json_has_what_is_needed_to_measure_it_again(tmp_path):
    found = as_json(Report("a question", [], {"jobs": 3}))
    assert found["settings"] == {"jobs": 3}
    assert {"command", "commit", "machine", "versions", "time"} <= set(found)
    assert found["machine"]["cores"] >= 1


@pytest.mark.parametrize(("value", "text"), [(1706.4, "1,706"), (151.43, "151.4"), (0.16777, "0.168"), (12.34, "12.3")])
def test_figures_have_the_digits_that_count(value, text):
    assert number(value) == text
