"""Plans that are shared out among workers: what tests of shards and of the deck have in common."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import pairwise

from jobs import make_job

from standin_batch.plan.cost import CostModel, Rates
from standin_batch.plan.planner import make_plan
from standin_batch.plan.state import state_of

MODELS = ("tiny", "tiny-2.2")
SHAPES = ((160, 96, 9), (96, 160, 9), (160, 96, 17))

LARGE = ("wan2.1-t2v-14b", "wan2.2-t2v-a14b")
LARGE_SHAPES = ((832, 480, 81), (480, 832, 81), (832, 480, 121))

COSTS = CostModel(
    throughput={(model, "float32"): 1e9 for model in MODELS},
    loading={(model, "float32"): 2.0 for model in MODELS},
    rates=Rates(opening=0.5, fuse=1e8, shape=0.1),
)
"""A slow machine on which a job of four steps takes ten seconds or more, and a load two."""


def drawn_plan(draw, number, priorities=(0,), models=MODELS, shapes=SHAPES, steps=(2, 4, 8)):
    """So many jobs at random, which need few different things in place."""
    jobs = [
        make_job(
            place,
            model=draw.choice(models),
            who=draw.choice((None, "a", "b")),
            lora=draw.choice((None, "x", "y")),
            shape=draw.choice(shapes),
            num_inference_steps=draw.choice(steps),
            priority=draw.choice(priorities),
        )
        for place in range(number)
    ]
    return make_plan(jobs, {}, costs=COSTS)


def ids(plan):
    """Of the jobs of a plan, in order."""
    return [item.job.job_id for item in plan.to_run]


def seconds_of(jobs, costs, before=None):
    """What jobs take one after the other, added up one by one."""
    states = [before, *map(state_of, jobs)]
    switching = sum(costs.switch_seconds(one, other) for one, other in pairwise(states) if one != other)
    return switching + sum(costs.job_seconds(job) for job in jobs)


def played(deck, plan, costs, factors=None):
    """Each job's end, worker and id, when the workers of a deck do what they take, by a clock of its own.

    Jobs take what is expected, or a multiple of it by their ids.
    """
    clock = [(0.0, name, None) for name in deck.workers]
    before = dict.fromkeys(deck.workers)
    while clock:
        now, name, parcel = heappop(clock)
        if parcel is not None:
            deck.ended(name, parcel.job_ids)
        if (parcel := deck.take(name)) is None:
            continue
        for item in parcel.plan.to_run:
            factor = 1.0 if factors is None else factors[item.job.job_id]
            now += costs.job_seconds(item.job) * factor + _switching(costs, before[name], item.job)
            before[name] = item.job
            yield now, name, item.job.job_id
        heappush(clock, (now, name, parcel))


def _switching(costs, before, job):
    state = None if before is None else state_of(before)
    return 0.0 if state == state_of(job) else costs.switch_seconds(state, state_of(job))
