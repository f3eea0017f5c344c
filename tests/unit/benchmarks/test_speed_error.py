"""Options of speed beside each other: one that fails says why in its own row."""

from __future__ import annotations

import argparse
from dataclasses import replace

import pytest

from benchmarks.speed_error import job_of, rows_of
from standin_batch.engine.engine import Engine
from standin_batch.speed import Speed
from standin_batch.weights.locate import locate
from standin_batch.weights.registry import ROWS


@pytest.fixture(scope="module")
def engine(golden):
    return Engine.load("tiny", "float32", locate(ROWS["tiny"], golden / "weights"), "cpu")


def job(**changes):
    said = argparse.Namespace(dtype="float32", steps=2)
    return replace(job_of(ROWS["tiny"], said), width=32, height=32, num_frames=5, **changes)


def test_an_option_that_fails_is_a_row_that_says_so(engine):
    (row,) = rows_of(engine, job(speed=Speed(cache=0.1), prompt=None), None)
    assert row.value is None
    assert row.what == str(Speed(cache=0.1))
    assert row.note.startswith("failed: ")


def test_an_option_that_is_not_here_is_a_row_that_says_why(engine):
    (row,) = rows_of(engine, job(speed=Speed(fp8=True)), None)
    assert (row.value, row.note) == (None, "not in float32")
