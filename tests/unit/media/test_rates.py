"""Frame rates as fractions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standin_batch.media.rates import exact


@pytest.mark.parametrize(
    ("fps", "fraction"),
    [
        (23.98, "24000/1001"),
        (23.976, "24000/1001"),
        (24000 / 1001, "24000/1001"),
        (29.97, "30000/1001"),
        (59.94, "60000/1001"),
        (119.88, "120000/1001"),
        (14.98, "15000/1001"),
        (24.0, "24"),
        (999.0, "999"),
        (12.5, "25/2"),
        (15.6, "78/5"),
        (0.5, "1/2"),
        (Fraction(30000, 1001), "30000/1001"),
    ],
)
def test_a_rate_is_the_fraction_that_it_stands_for(fps, fraction):
    assert str(exact(fps)) == fraction


@given(st.floats(0.01, 1000))
def test_it_is_close_and_stays_what_it_is(fps):
    rate = exact(fps)
    assert abs(rate - Fraction(fps)) < Fraction(6, 1000)
    assert exact(float(rate)) == rate
