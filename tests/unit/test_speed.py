"""What `speed` is called, and what of it counts."""

from __future__ import annotations

import pytest

from standin_batch.speed import EXACT, Speed


@pytest.mark.parametrize(
    ("speed", "told", "counts"),
    [
        (EXACT, "exact", {}),
        (Speed(fp8=True, cache=0.1), "fp8, teacache 0.1", {"fp8": True, "teacache": 0.1}),
        (Speed(attention="sage", compile=True), "sage, compile", {"attention": "sage", "compile": True}),
    ],
)
def test_only_what_is_on_is_told_and_counts(speed, told, counts):
    assert (str(speed), speed.fingerprint()) == (told, counts)
