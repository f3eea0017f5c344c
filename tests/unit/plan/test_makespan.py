"""What several workers take: the estimate of one, shared out."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from jobs import make_job
from shared_out import COSTS, drawn_plan

from standin_batch.plan.cost import CostModel
from standin_batch.plan.estimate import estimate
from standin_batch.plan.kind import work_kind
from standin_batch.plan.learnt import Learnt, Line
from standin_batch.plan.makespan import makespan
from standin_batch.plan.planner import make_plan
from standin_batch.plan.reason import Reason

START, LOOK, SAVE = 20.0, 3.0, 0.5


def learnt_from(plan):
    """A machine that takes 20 s to start, looks at a photograph in 3 s, and at its first in 10 more."""
    kinds = {work_kind(item.job): 10.0 for item in plan.to_run}
    counted = {"faces": Line(10.0, LOOK), "clips": Line(0.0, SAVE), "prompts": Line(0.0, 0.0)}
    return replace(COSTS, learnt=Learnt(jobs=kinds, once=dict.fromkeys(kinds, START), counted=counted, runs=1))


@pytest.mark.parametrize("seed", range(5))
def test_one_worker_takes_what_the_estimate_says(seed):
    plan = drawn_plan(random.Random(seed), 12)
    for costs in (COSTS, learnt_from(plan)):
        found = makespan(plan, costs, 1)
        assert found.seconds == pytest.approx(estimate(plan, costs).seconds)
        assert (found.speed_up, found.efficiency) == (pytest.approx(1), pytest.approx(1))


def test_each_worker_pays_its_start_and_photographs_are_looked_at_once():
    plan = make_plan([make_job(n, who="a") for n in range(4)], {})
    costs = learnt_from(plan)
    switching = costs.order_seconds([item.job for item in plan.to_run[:2]])
    found = makespan(plan, costs, 2)
    assert found.preparing_seconds == 10 + LOOK
    assert [shard.jobs for shard in found.shards] == [2, 2]
    assert found.shards[0].seconds == pytest.approx(START + switching + 2 * (10 + SAVE))
    assert found.seconds == pytest.approx(found.preparing_seconds + found.shards[0].seconds)
    assert found.speed_up == pytest.approx(found.alone_seconds / found.seconds)
    assert found.efficiency == pytest.approx(found.speed_up / 2)


def test_workers_that_have_nothing_to_do_lower_the_efficiency():
    plan = make_plan([make_job(n) for n in range(2)], {})
    two, four = (makespan(plan, COSTS, workers) for workers in (2, 4))
    assert four.seconds == two.seconds
    assert four.efficiency == pytest.approx(two.efficiency / 2)


def test_a_shard_tells_what_it_loads():
    plan = make_plan([make_job(n, model="tiny" if n < 2 else "tiny-2.2") for n in range(4)], {})
    assert [shard.models for shard in makespan(plan, COSTS, 1).shards] == [("tiny", "tiny-2.2")]


def test_what_is_saved_of_a_job_is_not_made_again():
    jobs = [make_job(n) for n in range(2)]
    whole = makespan(make_plan(jobs, {}), COSTS, 1).seconds
    saved = makespan(make_plan(jobs, {"0001": Reason.interrupted(3, 4)}), COSTS, 1).seconds
    assert whole - saved == pytest.approx(0.75 * COSTS.job_seconds(jobs[1]))


def test_nothing_is_told_of_what_was_never_measured():
    found = makespan(make_plan([make_job(n) for n in range(4)], {}), CostModel(), 2)
    assert (found.seconds, found.alone_seconds, found.speed_up, found.efficiency) == (None, None, None, None)
    assert sum(shard.jobs for shard in found.shards) == 4


def test_a_plan_with_nothing_to_do_takes_no_time():
    found = makespan(make_plan([], {}), COSTS, 3)
    assert (found.shards, found.seconds, found.efficiency) == ((), 0.0, None)
