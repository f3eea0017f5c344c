"""Limits of time are read as Slurm reads them, and as people write lengths elsewhere in a manifest."""

from __future__ import annotations

import pytest

from standin_batch.machine.time_limit import minutes_of


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("90", 90),
        ("90:30", 91),
        ("12:00:00", 720),
        ("1-0", 24 * 60),
        ("1-12:30", 36 * 60 + 30),
        ("2-00:00:01", 48 * 60 + 1),
        ("12h", 720),
        ("1h30m", 90),
        ("45 min", 45),
        ("30s", 1),
    ],
)
def test_what_is_a_limit(text, minutes):
    assert minutes_of(text) == minutes


@pytest.mark.parametrize("text", ["", "0", "0:0", "soon", "1:2:3:4", "1-", "-1", "12 hours", "1-1:1:1:1", "9" * 30])
def test_what_is_none(text):
    assert minutes_of(text) is None
