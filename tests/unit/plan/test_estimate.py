"""What a plan takes, as far as it is known."""

from __future__ import annotations

import pytest

from standin_batch.plan.cost import CostModel
from standin_batch.plan.estimate import CPU, Device, estimate
from standin_batch.plan.planner import make_plan
from standin_batch.plan.work import job_flop

TINY, TINY22 = ("tiny", "float32"), ("tiny-2.2", "float32")
H200 = Device("NVIDIA H200", 141 * 10**9)


@pytest.fixture
def plan(job):
    return make_plan([job(0), job(1, shape=(160, 96, 17)), job(2, model="tiny-2.2", num_inference_steps=6)], {})


def test_what_is_counted_is_always_known(plan):
    found = estimate(plan, CostModel())
    assert (found.jobs, found.frames, found.steps) == (3, 9 + 17 + 9, 4 + 4 + 6)
    assert found.flop == sum(job_flop(item.job) for item in plan.to_run)
    assert [group.jobs for group in found.groups] == [2, 1]


def test_hours_and_gigabytes_are_unknown_until_they_were_measured(plan):
    found = estimate(plan, CostModel(throughput={TINY: 1e9}))
    assert found.groups[0].seconds is not None
    assert found.groups[1].seconds is None
    assert (found.seconds, found.video_bytes, found.measured) == (None, None, False)


def test_hours_are_work_by_measured_throughput_and_switches(plan):
    costs = CostModel(throughput={TINY: 1e9, TINY22: 2e9}, loading={TINY: 1.0, TINY22: 1.0})
    found = estimate(plan, costs)
    working = found.groups[0].flop / 1e9 + found.groups[1].flop / 2e9
    assert found.seconds == pytest.approx(working + found.switch_seconds)
    assert found.measured


def test_gigabytes_follow_the_videos_that_are_there(plan):
    found = estimate(plan, CostModel(), CPU, bytes_per_pixel=0.5)
    assert found.video_bytes == 0.5 * 160 * 96 * (9 + 17 + 9)


def test_memory_is_that_of_the_group_that_needs_most(job):
    plan = make_plan([job(0), job(1, model="wan2.2-t2v-a14b", dtype="bfloat16")], {})
    found = estimate(plan, CostModel(), H200)
    assert found.memory_bytes == max(group.memory_bytes for group in found.groups)
    assert found.fits
    assert estimate(plan, CostModel(), Device("small", 24 * 10**9)).fits is False
    assert estimate(plan, CostModel(), CPU).fits is None


def test_nothing_to_do_takes_nothing():
    found = estimate(make_plan([], {}), CostModel())
    assert (found.jobs, found.flop, found.seconds, found.memory_bytes) == (0, 0, 0, 0)
