"""The order's switching cost against every other order there is."""

from __future__ import annotations

import random
from itertools import chain, permutations, product

import pytest

from standin_batch.plan.cost import CostModel, Rates
from standin_batch.plan.order import EXACT_WORK, order_states
from standin_batch.plan.planner import make_plan
from standin_batch.plan.state import state_of
from standin_batch.speed import EXACT, Speed

MODELS = ("tiny", "tiny-2.2", "wan2.1-t2v-14b")
SHAPES = ((160, 96, 9), (96, 160, 9), (160, 96, 17))


def close(seconds):
    """Costs are compared in nanoseconds."""
    return pytest.approx(seconds, rel=1e-9, abs=1e-6)


def drawn_costs(draw):
    """Rates at which now this and now that switch is the dearest."""
    rates = Rates(
        opening=10 ** draw.uniform(-2, 1),
        read=10 ** draw.uniform(4, 10),
        fuse=10 ** draw.uniform(4, 11),
        flop=10 ** draw.uniform(8, 14),
        shape=10 ** draw.uniform(-2, 2),
    )
    return CostModel(rates=rates)


def drawn_job(job, draw, number, priorities=(0,)):
    return job(
        number,
        model=draw.choice(MODELS),
        mode=draw.choice(("t2v", "t2v", "vace")),
        who=draw.choice((None, "a", "b")),
        lora=draw.choice((None, None, "x", "y")),
        speed=draw.choice((EXACT, EXACT, EXACT, Speed(fp8=True), Speed(compile=True))),
        shape=draw.choice(SHAPES),
        prompt=draw.choice("pqr"),
        priority=draw.choice(priorities),
    )


def drawn_states(job, draw, number):
    states = {}
    while len(states) < number:
        states[state_of(drawn_job(job, draw, 0))] = None
    return list(states)


def cheapest(costs, levels):
    """The least cost over every order of every level."""
    states = list(dict.fromkeys(state for level in levels for state in level))
    table = {(a, b): costs.switch_seconds(a, b) for a in (None, *states) for b in states}
    orders = (tuple(chain(*order)) for order in product(*(permutations(level) for level in levels)))
    return min(sum(map(table.__getitem__, zip((None, *order), order, strict=False))) for order in orders)


@pytest.mark.parametrize(("groups", "instances"), [(2, 60), (3, 100), (4, 120), (5, 120), (6, 80), (7, 25), (8, 10)])
def test_it_is_the_cheapest_of_all_orders(job, groups, instances):
    draw = random.Random(groups)
    for _ in range(instances):
        costs, states = drawn_costs(draw), drawn_states(job, draw, groups)
        (order,) = order_states([states], costs)
        assert sorted(order, key=repr) == sorted(states, key=repr)
        assert costs.path_seconds(order) == close(cheapest(costs, [states]))


def test_it_is_the_cheapest_of_all_orders_that_keep_the_priorities(job):
    draw = random.Random(0)
    for _ in range(150):
        costs = drawn_costs(draw)
        levels = [drawn_states(job, draw, draw.randint(1, 4)) for _ in range(draw.randint(2, 3))]
        found = order_states(levels, costs)
        assert [set(level) for level in found] == [set(level) for level in levels]
        assert costs.path_seconds(chain(*found)) == close(cheapest(costs, levels))


def test_no_order_of_single_jobs_is_cheaper_than_keeping_those_of_a_state_together(job):
    draw = random.Random(1)
    for _ in range(40):
        costs, jobs = drawn_costs(draw), [drawn_job(job, draw, number) for number in range(6)]
        planned = [item.job for item in make_plan(jobs, {}, costs=costs).to_run]
        least = min(costs.order_seconds(order) for order in permutations(jobs))
        assert costs.order_seconds(planned) == close(least)


def test_it_is_never_dearer_than_the_manifest_and_has_each_job_once(job):
    draw = random.Random(2)
    for _ in range(300):
        costs, priorities = drawn_costs(draw), draw.choice(((0,), (0, 1), (0, 1, 2)))
        jobs = [drawn_job(job, draw, number, priorities) for number in range(draw.randint(1, 120))]
        plan = make_plan(jobs, {}, costs=costs)
        planned = [item.job for item in plan.to_run]
        assert sorted(item.job_id for item in planned) == [item.job_id for item in jobs]
        assert [item.priority for item in planned] == sorted((item.priority for item in jobs), reverse=True)
        written = costs.order_seconds(plan.as_written)
        assert costs.order_seconds(planned) <= written * (1 + 1e-9) + 1e-6


def test_with_many_states_neighbours_share_what_they_can(job):
    """A full grid of 3 LoRAs x 3 sizes x 4 identities: each border between LoRAs keeps the size."""
    grid = product((None, "x", "y"), SHAPES, "abcd")
    jobs = [job(n, lora=lora, shape=shape, who=who) for n, (lora, shape, who) in enumerate(grid)]
    assert len(jobs) ** 2 * 2 ** (len(jobs) - 1) > EXACT_WORK
    plan = make_plan(random.Random(3).sample(jobs, len(jobs)), {})
    assert (plan.switches.models, plan.switches.loras, plan.switches.shapes) == (1, 2, 3 + 2 + 2)
