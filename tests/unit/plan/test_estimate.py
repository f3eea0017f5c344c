"""What a plan takes, as far as it is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from jobs import make_job

from standin_batch.attempts import attempt
from standin_batch.job import job_id
from standin_batch.manifest.manifest import Acceptance, Condition
from standin_batch.plan.cost import CostModel
from standin_batch.plan.estimate import CPU, Device, estimate
from standin_batch.plan.kind import kept_kind, work_kind
from standin_batch.plan.learnt import Learnt, Line
from standin_batch.plan.memory import Profile
from standin_batch.plan.planner import make_plan
from standin_batch.plan.reason import Reason
from standin_batch.plan.work import job_flop
from standin_batch.speed import Speed

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
    assert (found.fits, found.profile) == (True, Profile.RESIDENT)
    small = estimate(plan, CostModel(), Device("small", 24 * 10**9))
    assert (small.fits, small.profile) == (True, Profile.LOWEST)
    assert estimate(plan, CostModel(), Device("too small", 8 * 10**9)).fits is False
    assert estimate(plan, CostModel(), CPU).fits is None


def test_nothing_to_do_takes_nothing():
    found = estimate(make_plan([], {}), CostModel())
    assert (found.jobs, found.flop, found.seconds, found.memory_bytes) == (0, 0, 0, 0)


def test_attempts_that_may_follow_are_counted_apart():
    def asking(number, **options):
        job = make_job(number, accept=Acceptance((Condition("sharpness", ">=", 1.0),), **options))
        return replace(job, job_id=job_id(job))

    single, several = asking(1, max_reseeds=3), asking(2, best_of=2, max_reseeds=1)
    third = attempt(asking(3, max_reseeds=3), 2)
    plan = make_plan([make_job(0), single, several, attempt(several, 1), third], {})
    assert (estimate(plan, CostModel()).further, estimate(plan, CostModel()).expected) == (3 + 1 + 1, None)
    assert estimate(plan, CostModel(), acceptance=1.0).expected == 0
    assert estimate(plan, CostModel(), acceptance=0.0).expected == 5
    # An attempt follows when all before it were rejected: 1/2 + 1/4 + 1/8, then 1/4 after two, then 1/2 after one.
    assert estimate(plan, CostModel(), acceptance=0.5).expected == pytest.approx(0.875 + 0.25 + 0.5)


def test_the_time_of_what_may_follow_is_the_expected_one_where_that_is_known():
    job = make_job(1, accept=Acceptance((Condition("sharpness", ">=", 1.0),), max_reseeds=3))
    plan = make_plan([job], {})
    costs = CostModel(throughput={("tiny", "float32"): job_flop(job)})
    assert estimate(plan, costs).further_seconds == pytest.approx(3)
    assert estimate(plan, costs, acceptance=0.5).further_seconds == pytest.approx(0.875)


def test_what_runs_have_taught_makes_up_the_whole_time():
    jobs = [make_job(number, who="ada") for number in range(4)]
    taught = Learnt(
        jobs={work_kind(jobs[0]): 2.0},
        kept={kept_kind(jobs[0], True): 5.0},
        once={work_kind(jobs[0]): 10.0},
        counted={"prompts": Line(0, 0.5), "identities": Line(1.0, 0.25), "clips": Line(0, 0.1), "faces": Line(3.0, 0)},
        runs=1,
    )
    costs = CostModel(throughput={TINY: 1.0}, loading={TINY: 7.0}, learnt=taught)
    found = estimate(make_plan(jobs, {}), costs, scored=True)
    assert found.groups[0].seconds == pytest.approx(4 * 2.0)
    assert found.switch_seconds == pytest.approx(7.0 + 2 * 0.5 + 1.25), "loading, two prompts, an identity"
    assert found.once_seconds == pytest.approx(10.0 + 4 * 0.1 + 3.0)
    assert found.waiting_seconds == pytest.approx(4 * 5.0 - 3 * 2.0), "the writer is the slower of the two"
    assert found.seconds == pytest.approx(8.0 + 9.25 + 13.4 + 14.0)


def test_what_no_run_has_taught_is_assumed_beside_what_they_have():
    plain, styled = make_job(0), make_job(0, lora="l")
    costs = CostModel(learnt=Learnt(counted={"prompts": Line(0, 0.5)}, runs=1), loading={TINY: 7.0})
    assert costs.order_seconds([plain]) == 8.0
    assert costs.order_seconds([styled]) > 8.0 + costs.rates.opening


def test_steps_that_are_saved_are_not_waited_for_again():
    job = make_job(1)
    costs = CostModel(throughput={TINY: job_flop(job) / 20})
    plan = make_plan([job], {job.job_id: Reason.interrupted(3, 4)})
    assert estimate(plan, costs).groups[0].seconds == pytest.approx(5.0)


def test_compiling_that_was_never_done_here_is_not_in_it():
    exact, compiled = make_job(), make_job(1, speed=Speed(compile=True))
    costs = CostModel(throughput={("tiny", "float32"): 1e9}, learnt=Learnt(jobs={work_kind(exact): 2.0}))
    known = replace(costs, learnt=Learnt(jobs={work_kind(compiled): 2.0}))
    assert not estimate(make_plan([exact], {}), costs).leaves_out_compiling
    assert estimate(make_plan([exact, compiled], {}), costs).leaves_out_compiling
    assert not estimate(make_plan([exact, compiled], {}), known).leaves_out_compiling


def test_what_a_group_gives_up_for_speed_is_named():
    speeds = (Speed(), Speed(fp8=True, cache=0.2), Speed(cache=0.2), Speed(cache=0.2))
    plan = make_plan([make_job(number, speed=speed) for number, speed in enumerate(speeds)], {})
    (group,) = estimate(plan, CostModel()).groups
    assert sorted(group.speeds) == ["fp8, teacache 0.2", "teacache 0.2"]
    assert estimate(make_plan([make_job()], {}), CostModel()).groups[0].speeds == ()


@pytest.mark.parametrize(("device", "told"), [(Device("large", 141 << 30), 2.0), (Device("small", 24 << 30), 9.0)])
def test_jobs_take_what_they_took_under_the_profile_that_is_planned(device, told):
    job = make_job(model="wan2.1-t2v-14b", dtype="bfloat16")
    jobs = {work_kind(job): 2.0, work_kind(job, "lowest"): 9.0}
    found = estimate(make_plan([job], {}), CostModel(learnt=Learnt(jobs=jobs)), device)
    assert found.groups[0].seconds == told
