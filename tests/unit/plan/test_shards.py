"""Shards: a plan cut for several workers, against every other way to cut it."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import make_job
from shared_out import COSTS, LARGE, LARGE_SHAPES, drawn_plan, ids, seconds_of

from standin_batch.attempts import attempt
from standin_batch.manifest.manifest import Acceptance, Condition
from standin_batch.plan.cost import CostModel, Rates
from standin_batch.plan.line import Line
from standin_batch.plan.order import NANO
from standin_batch.plan.partition import stations
from standin_batch.plan.planner import make_plan
from standin_batch.plan.reason import Reason
from standin_batch.plan.shards import shards
from standin_batch.plan.sharing import LOST

LIKE = Acceptance((Condition("face_similarity", ">=", 0.5),), best_of=3)


def jobs_of(plan):
    return [item.job for item in plan.to_run]


def soonest(jobs, workers, costs):
    """The least makespan of all ways to cut `jobs`, as they are ordered, into contiguous pieces."""
    return min(
        max(seconds_of(jobs[begin:end], costs) for begin, end in pairwise((0, *cuts, len(jobs))))
        for number in range(min(workers, len(jobs)))
        for cuts in combinations(range(1, len(jobs)), number)
    )


@pytest.mark.parametrize("seed", range(40))
def test_no_other_cut_ends_sooner(seed):
    draw = random.Random(seed)
    costs = replace(COSTS, rates=Rates(opening=10 ** draw.uniform(-3, 0), fuse=10 ** draw.uniform(5, 9)))
    plan, workers = drawn_plan(draw, draw.randint(1, 9)), draw.randint(1, 4)
    best = soonest(jobs_of(plan), workers, costs)
    line = Line(plan, costs)
    assert max(station.ready for station in stations(line, workers)) / NANO == pytest.approx(best, abs=1e-6)
    found = shards(plan, workers, costs)
    for shard in found:
        assert shard.seconds == pytest.approx(seconds_of(jobs_of(shard.plan), costs), abs=1e-6)
        assert shard.seconds <= (1 + LOST) * best + 1e-6


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 30), st.integers(1, 12), st.sampled_from([(0,), (0, 1, 2)]))
def test_every_job_is_in_one_shard_and_no_shard_is_later_than_one_worker(draw, number, workers, priorities):
    plan = drawn_plan(draw, number, priorities)
    found = shards(plan, workers, COSTS)
    assert len(found) <= workers
    assert all(shard.jobs for shard in found)
    assert sorted(key for shard in found for key in ids(shard.plan)) == sorted(ids(plan))
    alone = shards(plan, 1, COSTS)
    assert [ids(shard.plan) for shard in alone] == ([ids(plan)] if number else [])
    assert all(shard.seconds <= alone[0].seconds for shard in found)


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 30), st.integers(1, 6))
def test_a_shard_keeps_the_order_of_the_plan(draw, number, workers):
    plan = drawn_plan(draw, number, (0, 1))
    place = {key: index for index, key in enumerate(ids(plan))}
    for shard in shards(plan, workers, COSTS):
        places = [place[key] for key in ids(shard.plan)]
        assert places == sorted(places)


def test_no_shard_is_of_long_jobs_only():
    """Ten long jobs and ten short ones of one LoRA: each of five shards has two of both."""
    jobs = [make_job(n, lora="x", num_inference_steps=4, shape=(160, 96, 9 if n < 10 else 17)) for n in range(20)]
    for shard in shards(make_plan(jobs, {}), 5, COSTS):
        assert sorted(job.num_frames for job in jobs_of(shard.plan)) == [9, 9, 17, 17]


@pytest.mark.parametrize(
    ("loading", "loads"), [(2.0, [["tiny"], ["tiny", "tiny-2.2"]]), (1e3, [["tiny"], ["tiny-2.2"]])]
)
def test_a_group_is_parted_only_where_that_saves_more_than_loading_again(loading, loads):
    plan = make_plan([make_job(n, model="tiny" if n < 7 else "tiny-2.2") for n in range(8)], {})
    costs = replace(COSTS, loading={("tiny", "float32"): loading, ("tiny-2.2", "float32"): loading})
    found = shards(plan, 2, costs)
    assert [[group.model for group in shard.plan.groups] for shard in found] == loads


def test_there_are_no_more_shards_than_help():
    plan = make_plan([make_job(n) for n in range(4)], {})
    assert [shard.jobs for shard in shards(plan, 3, COSTS)] == [2, 2], "three would take as long as two"


def test_borders_lie_where_things_change_anyway():
    """Five jobs with a LoRA, four with another: 5 and 4 take as long as 4 and 5, but change nothing more."""
    jobs = [make_job(n, lora="x" if n < 5 else "y") for n in range(9)]
    found = shards(make_plan(jobs, {}), 2, COSTS)
    assert [{job.loras[0].name for job in jobs_of(shard.plan)} for shard in found] == [{"x"}, {"y"}]


def test_workers_keep_what_they_have_from_one_priority_to_the_next():
    jobs = [make_job(2 * n + p, model=m, priority=p) for p in (0, 1) for m in ("tiny", "tiny-2.2") for n in range(4)]
    jobs = [replace(job, job_id=f"{place:04d}") for place, job in enumerate(jobs)]
    found = shards(make_plan(jobs, {}), 2, COSTS)
    assert [{job.model for job in jobs_of(shard.plan)} for shard in found] in (
        [{"tiny"}, {"tiny-2.2"}],
        [{"tiny-2.2"}, {"tiny"}],
    )


def test_attempts_of_a_job_are_in_one_shard():
    first = [make_job(n, seed=n, accept=LIKE) for n in range(7)]
    first = [attempt(replace(job, attempt=1), 0) for job in first]
    jobs = [attempt(job, number) for number in range(3) for job in first]
    where = {}
    for number, shard in enumerate(shards(make_plan(jobs, {}), 4, COSTS)):
        for job in jobs_of(shard.plan):
            where.setdefault(attempt(job, 0).job_id, set()).add(number)
    assert len(where) == 7
    assert all(len(numbers) == 1 for numbers in where.values())
    assert len(set.union(*where.values())) > 1


def test_what_is_saved_of_a_job_does_not_count():
    jobs = [make_job(n) for n in range(4)]
    known = {jobs[n].job_id: Reason.interrupted(4, 4) for n in (0, 1, 2)}
    assert [shard.jobs for shard in shards(make_plan(jobs, known), 2, COSTS)] == [4], "a second one saves nothing"


def test_jobs_that_nobody_measured_weigh_what_they_compute():
    jobs = [make_job(0, shape=(320, 192, 9)), *(make_job(n) for n in range(1, 5))]
    costs = CostModel(rates=Rates(opening=0, flop=1e6, read=1e15))
    found = shards(make_plan(jobs, {}), 2, costs)
    assert [shard.jobs for shard in found] == [1, 4]
    assert [shard.seconds for shard in found] == [None, None]


def test_without_workers_there_are_no_shards():
    with pytest.raises(ValueError, match="0 workers"):
        shards(make_plan([], {}), 0, COSTS)
    assert shards(make_plan([], {}), 3, COSTS) == ()


def test_at_64_workers_with_20_clips_each_hardly_anything_is_lost():
    plan = drawn_plan(random.Random(1), 64 * 20, models=LARGE, shapes=LARGE_SHAPES, steps=(20, 40))
    fast = CostModel(throughput={(model, "float32"): 400e12 for model in LARGE})
    found = shards(plan, 64, fast)
    working = sum(fast.job_seconds(job) for job in jobs_of(plan))
    assert working / 64 / max(shard.seconds for shard in found) >= 0.95
