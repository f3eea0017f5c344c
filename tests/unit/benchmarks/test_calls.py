"""What a run's events tell of its times, and processes that are measured from outside."""

from __future__ import annotations

import sys

import pytest

from benchmarks.calls import Call, Finished, process
from benchmarks.common import BenchmarkError


def call(*events):
    """A call that began at second 100."""
    told = [{"event": name, "time": 100.0 + at, **fields} for name, at, fields in events]
    return Call(Finished(20.0, 0.0, 0, 100.0, ""), told, None)


def step(at, number, job="a"):
    return "JobStep", at, {"job_id": job, "step": number}


def test_the_first_step_began_a_steps_length_before_its_end():
    ran = call(("JobStarted", 5.0, {}), step(8.0, 1), step(10.0, 2), step(12.0, 3))
    assert ran.to_first_job == pytest.approx(5.0)
    assert ran.to_first_step == pytest.approx(6.0)


def test_from_one_step_nothing_is_told():
    assert call(step(8.0, 1)).to_first_step is None
    assert call(step(8.0, 1, "a"), step(9.0, 1, "b")).to_first_step is None


def test_the_end_of_a_run_is_told_in_two_parts():
    ran = call(("JobCompleted", 12.0, {}), ("JobCompleted", 15.0, {}), ("RunFinished", 17.0, {}))
    assert (ran.after_last_job, ran.leaving) == (pytest.approx(2.0), pytest.approx(3.0))


def test_what_was_prepared_is_summed_by_its_beginning():
    prepared = [("Prepared", 1.0, {"what": "loading tiny (float32)", "seconds": 2.5})] * 2
    assert call(*prepared, ("Prepared", 2.0, {"what": "encoding 2 prompts", "seconds": 9.0})).prepared("loading") == 5.0


def test_a_process_is_measured_from_outside(tmp_path):
    ran = process([sys.executable, "-c", "b = bytearray(200_000_000); print(len(b))"], tmp_path, {})
    assert ran.output == "200000000\n"
    assert ran.memory > 200_000_000
    assert 0 < ran.cpu < ran.seconds + 1


def test_a_process_that_fails_measures_nothing(tmp_path):
    with pytest.raises(BenchmarkError, match="left with 3: no GPU"):
        process([sys.executable, "-c", "import sys; print('no GPU', file=sys.stderr); sys.exit(3)"], tmp_path, {})


def test_a_command_that_is_not_there_measures_nothing(tmp_path):
    with pytest.raises(BenchmarkError, match="cannot be started"):
        process([str(tmp_path / "nothing")], tmp_path, {})
