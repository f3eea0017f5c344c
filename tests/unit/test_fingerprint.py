"""The canonical text of a value, and the digest over it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standin_batch.fingerprint import canonical_json, digest

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_the_text_is_json_of_the_same_value(value):
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_the_order_of_keys_does_not_count(value):
    assert digest(value) == digest(dict(reversed(value.items())))


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1, True), ("1", 1), ([], {}), (None, "null"), (0.0, -0.0)])
def test_values_that_differ_in_type_differ(one, other):
    assert digest(one) != digest(other)


def test_a_tuple_is_a_list():
    assert digest((1, 2)) == digest([1, 2])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}])
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match="canonical"):
        canonical_json(value)


@pytest.mark.parametrize("value", [{1: 2}, Path("x"), {"a": {1, 2}}, b"x"])
def test_types_that_could_drift_are_refused_with_their_place(value):
    with pytest.raises(TypeError, match=r"\$"):
        canonical_json(value)


def test_the_digest_is_the_same_everywhere():
    expected = "21fddaeebc6c84f1b55624c41336b0e521adecf3e414f2eaa12789afd6167428"
    assert digest({"b": [1, 2.5, "é"], "a": None}) == expected
