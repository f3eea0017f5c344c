"""Steps longer than Slurm's warning leaves."""

from __future__ import annotations

import re

from jobs import make_job

from standin_batch.backends.slurm.long_steps import long_step
from standin_batch.plan.cost import CostModel
from standin_batch.plan.work import job_flop

JOB = make_job(1, num_inference_steps=10)
KEY = (JOB.model, JOB.dtype)


def taking(seconds):
    return CostModel(throughput={KEY: job_flop(JOB) / seconds})


def test_the_longest_is_told_with_what_to_set():
    told = long_step([JOB, make_job(2, num_inference_steps=10, width=JOB.width // 2)], taking(3000.0), 120)
    seconds = int(re.search(r"up to (\d+) s", told.message)[1])
    assert 120 < seconds < 300, "decoding is no step"
    assert re.search(r"to (\d+) or more", told.hint)[1] == str(2 * seconds)


def test_nothing_is_said_of_shorter_ones_or_of_what_was_not_measured():
    assert long_step([JOB], taking(1000.0), 120) is None
    assert long_step([JOB], CostModel(), 0) is None
    assert long_step([], taking(1.0), 120) is None
