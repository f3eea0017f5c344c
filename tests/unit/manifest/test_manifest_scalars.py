"""What unquoted scalars mean: YAML 1.2's core schema, without the surprises of 1.1."""

from __future__ import annotations

import math

import pytest

from standin_batch.manifest.scalars import resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-17", -17),
        ("+3", 3),
        ("010", 10),
        ("0o17", 15),
        ("0xff", 255),
        ("1e-3", 0.001),
        ("1.", 1.0),
        (".5", 0.5),
        ("-2.5E+2", -250.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
    ],
)
def test_typed(text, value):
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number():
    assert math.isnan(resolve(".nan"))


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "on",
        "yes",
        "off",
        "y",
        "2020-01-01",
        "1:30",
        "1_000",
        "0b1",
        "0..3",
        "1.2.3",
        "--1",
        "0x",
        "1e",
        "+",
        "-",
        ".",
        "..",
        "٣",
        "１",
    ],
)
def test_text(text):
    assert resolve(text) == text


def test_a_number_too_long_to_mean_anything_stays_text():
    assert resolve("9" * 5000) == "9" * 5000
