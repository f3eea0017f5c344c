"""The deck: jobs handed out to workers that come, go and differ in speed."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import cycle, groupby, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import make_job
from shared_out import COSTS, LARGE, LARGE_SHAPES, drawn_plan, ids, played, seconds_of

from standin_batch.attempts import attempt
from standin_batch.manifest.manifest import Acceptance, Condition
from standin_batch.plan.cost import CostModel
from standin_batch.plan.deck import MOST, MOST_UNKNOWN, PARCEL_SECONDS, Deck
from standin_batch.plan.planner import make_plan
from standin_batch.plan.shards import shards

LIKE = Acceptance((Condition("face_similarity", ">=", 0.5),), best_of=3)


def deck_of(plan, workers, costs=COSTS, there=None):
    """A deck for so many workers, of whom those `there` have joined."""
    deck = Deck(plan, costs, workers)
    for number in range(workers if there is None else there):
        deck.joins(str(number))
    return deck


def taken(deck, worker):
    """All that a worker takes when it is asked again and again, in order."""
    found = []
    while (parcel := deck.take(worker)) is not None:
        deck.ended(worker, parcel.job_ids)
        found += parcel.job_ids
    return found


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 30), st.integers(1, 6), st.sampled_from([(0,), (0, 1, 2)]))
def test_every_job_is_made_once_whoever_comes_and_goes(draw, number, expected, priorities):
    plan = drawn_plan(draw, number, priorities)
    deck, made, working, names = deck_of(plan, expected, there=0), [], {}, cycle("abcdefgh")
    for _ in range(150):
        name = next(names)
        if name not in deck.workers and draw.random() < 0.5:
            deck.joins(name)
        elif name in deck.workers and draw.random() < 0.15:
            deck.leaves(name)
            working.pop(name, None)
        elif name in deck.workers:
            done = working.pop(name, [])
            deck.ended(name, done)
            made += done
            if (parcel := deck.take(name)) is not None:
                working[name] = list(parcel.job_ids)
    deck.joins("last")
    for name in set(deck.workers) - {"last"}:
        deck.leaves(name)
    made += taken(deck, "last")
    assert sorted(made) == sorted(ids(plan))
    assert (deck.left, deck.is_empty) == (0, True)


def weights_of(plan, job_ids):
    """The model and the LoRA of each job."""
    jobs = {item.job.job_id: item.job for item in plan.to_run}
    return [(jobs[key].model, *(lora.name for lora in jobs[key].loras)) for key in job_ids]


def test_one_worker_loads_what_the_plan_loads_in_its_order():
    plan = drawn_plan(random.Random(0), 40, (0, 1))
    order = taken(deck_of(plan, 1), "0")
    assert [model for model, *_ in weights_of(plan, order)] == [model for model, *_ in weights_of(plan, ids(plan))]
    loads, planned = (len(list(groupby(weights_of(plan, some)))) for some in (order, ids(plan)))
    assert loads <= planned + 1, "a set of LoRAs at most comes back where a priority begins"


def test_of_jobs_on_the_same_weights_the_longest_come_first():
    plan = make_plan([make_job(n, shape=(160, 96, 9 if n < 5 else 17)) for n in range(10)], {})
    assert taken(deck_of(plan, 1), "0") == [*ids(plan)[5:], *ids(plan)[:5]]


def test_the_order_of_the_plan_stays_where_the_longest_first_would_cost_more_than_it_may():
    """Sizes that take a second to change, for jobs that take milliseconds."""
    sizes = ((160, 96, 17), (160, 96, 9), (96, 160, 9))
    jobs = [make_job(n, lora=lora, shape=sizes[m]) for n, (lora, m) in enumerate(product("xy", (1, 2, 0)))]
    quick = CostModel(throughput={("tiny", "float32"): 1e15}, loading={("tiny", "float32"): 0.1})
    plan = make_plan(jobs, {}, costs=quick)
    assert taken(deck_of(plan, 1, quick), "0") == ids(plan)


def test_each_worker_begins_with_a_shard_also_when_they_come_one_after_the_other():
    plan = drawn_plan(random.Random(0), 60)
    owners = {key: number for number, shard in enumerate(shards(plan, 4, COSTS)) for key in ids(shard.plan)}
    deck, begun = deck_of(plan, 4, there=0), set()
    for number in range(4):
        deck.joins(str(number))
        begun.add(owners[deck.take(str(number)).job_ids[0]])
    assert len(begun) == 4


def test_a_parcel_is_short_and_of_one_group():
    plan = drawn_plan(random.Random(0), 200)
    deck = deck_of(plan, 2)
    quick = {item.job.job_id: COSTS.job_seconds(item.job) for item in plan.to_run}
    while (parcel := deck.take("0")) is not None:
        assert len(parcel.plan.groups) == 1
        assert 1 <= len(parcel.job_ids) <= MOST
        working = [quick[job_id] for job_id in parcel.job_ids]
        assert sum(working) <= PARCEL_SECONDS or len(working) == 1
        deck.ended("0", parcel.job_ids)


def test_parcels_become_smaller_towards_the_end():
    quick = replace(COSTS, throughput={("tiny", "float32"): 1e12})
    deck = deck_of(make_plan([make_job(n) for n in range(64)], {}), 1, quick)
    sizes = []
    while (parcel := deck.take("0")) is not None:
        sizes.append(len(parcel.job_ids))
    assert sizes[0] == MOST
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-4:] == [1, 1, 1, 1]


def test_jobs_that_nobody_measured_come_in_small_parcels_without_a_time():
    deck = deck_of(make_plan([make_job(n) for n in range(64)], {}), 1, CostModel())
    parcel = deck.take("0")
    assert len(parcel.job_ids) == MOST_UNKNOWN
    assert parcel.seconds is None


def test_a_parcel_says_what_it_takes_with_what_is_loaded_for_it():
    plan = make_plan([make_job(n, lora="x") for n in range(3)], {})
    deck = deck_of(plan, 1)
    first, second = deck.take("0"), deck.take("0")
    jobs = {item.job.job_id: item.job for item in plan.to_run}
    assert first.seconds == pytest.approx(seconds_of([jobs[key] for key in first.job_ids], COSTS))
    assert second.seconds == pytest.approx(sum(COSTS.job_seconds(jobs[key]) for key in second.job_ids))


def test_what_a_worker_had_not_ended_is_begun_first_by_another():
    plan = make_plan([make_job(n) for n in range(10)], {})
    deck = deck_of(plan, 1)
    parcels = [deck.take("0") for _ in range(3)]
    deck.ended("0", parcels[0].job_ids)
    deck.leaves("0")
    assert not deck.is_empty
    assert deck.left == 10 - len(parcels[0].job_ids)
    deck.joins("1")
    assert taken(deck, "1") == ids(plan)[len(parcels[0].job_ids) :]


def test_a_worker_that_joins_again_begins_anew():
    deck = deck_of(make_plan([make_job(n) for n in range(4)], {}), 1)
    first = deck.take("0")
    deck.joins("0")
    assert deck.waits("0")
    assert deck.take("0") == first


def test_what_a_worker_reports_after_it_was_given_up_is_not_made_again():
    plan = make_plan([make_job(n) for n in range(4)], {})
    deck = deck_of(plan, 1)
    late = deck.take("0").job_ids
    deck.leaves("0")
    deck.ended("0", late)
    deck.joins("1")
    assert taken(deck, "1") == [key for key in ids(plan) if key not in late]


def test_ids_that_are_not_of_the_plan_are_passed_over():
    deck = deck_of(make_plan([make_job(0)], {}), 1)
    deck.ended("0", ["another attempt"])
    assert deck.left == 1


def test_a_worker_that_is_through_takes_the_end_of_another():
    plan = make_plan([make_job(n) for n in range(20)], {})
    deck = deck_of(plan, 2)
    busy = deck.take("0")
    shard = next(ids(shard.plan) for shard in shards(plan, 2, COSTS) if busy.job_ids[0] in ids(shard.plan))
    own = [key for key in ids(plan) if key not in shard]
    helped = taken(deck, "1")
    assert helped[: len(own)] == own
    assert helped[len(own) :], "it helps out"
    assert set(helped[len(own) :]) <= set(shard[len(busy.job_ids) :])


def test_it_takes_nothing_over_that_would_end_later_so():
    """Two jobs are left to the other worker, and loading takes longer than both."""
    dear = replace(COSTS, loading={(model, "float32"): 1e4 for model in ("tiny", "tiny-2.2")})
    deck = deck_of(make_plan([make_job(n, model="tiny" if n < 3 else "tiny-2.2") for n in range(6)], {}), 2, dear)
    deck.take("0")
    assert len(taken(deck, "1")) == 3
    assert deck.take("1") is None
    assert deck.waits("1")
    assert not deck.is_empty


def test_it_goes_on_with_what_it_has_loaded():
    """Of two workers with equally much to do it helps the one on its own base weights."""
    jobs = [make_job(n, model=model) for n, model in enumerate(["tiny"] * 20 + ["tiny-2.2"] * 10)]
    deck = deck_of(make_plan(jobs, {}), 3)
    models = {}
    for name in ("0", "1", "2"):
        models[name] = deck.take(name).plan.groups[0].model
    first = next(name for name, model in models.items() if model == "tiny")
    deck.ended(first, [item.job.job_id for item in deck.at_work(first)])
    number = 0
    while (parcel := deck.take(first)) is not None and number < 12:
        assert parcel.plan.groups[0].model == "tiny"
        deck.ended(first, parcel.job_ids)
        number += len(parcel.job_ids)


def test_lower_priorities_wait_for_what_is_left_of_higher_ones():
    plan = drawn_plan(random.Random(3), 60, (0, 1))
    urgent = {item.job.job_id for item in plan.to_run if item.job.priority == 1}
    deck = deck_of(plan, 3)
    order = [key for _, _, key in played(deck, plan, COSTS)]
    places = [order.index(key) for key in urgent]
    assert max(places) < len(urgent) + 3 * MOST, "each worker finishes at most a parcel of the lower one before"


def test_attempts_of_a_job_are_in_one_parcel():
    first = [make_job(n, seed=n, accept=LIKE) for n in range(6)]
    first = [attempt(replace(job, attempt=1), 0) for job in first]
    deck = deck_of(make_plan([attempt(job, number) for number in range(3) for job in first], {}), 2)
    owners = {}
    for number, name in enumerate(["0", "1"] * 12):
        if (parcel := deck.take(name)) is not None:
            for item in parcel.plan.to_run:
                owners.setdefault(attempt(item.job, 0).job_id, set()).add(number)
    assert len(owners) == 6
    assert all(len(parcels) == 1 for parcels in owners.values())


def test_of_attempts_begun_only_those_not_ended_come_back():
    job = attempt(make_job(0, accept=LIKE, attempt=1), 0)
    three = [attempt(job, number) for number in range(3)]
    deck = deck_of(make_plan(three, {}), 1)
    deck.take("0")
    deck.ended("0", [three[0].job_id])
    deck.leaves("0")
    deck.joins("1")
    assert deck.take("1").job_ids == (three[1].job_id, three[2].job_id)


def test_the_same_calls_give_the_same_parcels():
    plan = drawn_plan(random.Random(5), 80, (0, 1))
    one, other = (list(played(deck_of(plan, 5), plan, COSTS)) for _ in range(2))
    assert one == other


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 60), st.integers(2, 8))
def test_it_ends_no_later_than_the_fixed_shards_but_for_a_parcel(draw, number, workers):
    """Jobs that take what was expected leave nothing to be gained by helping, and nothing is lost by it."""
    plan = drawn_plan(draw, number)
    fixed = max(shard.seconds for shard in shards(plan, workers, COSTS))
    longest = max(COSTS.job_seconds(item.job) for item in plan.to_run)
    end = max(end for end, _, _ in played(deck_of(plan, workers), plan, COSTS))
    assert end <= fixed + max(longest, PARCEL_SECONDS)


def test_at_64_workers_with_20_clips_each_hardly_anything_is_lost_when_jobs_take_other_times():
    draw = random.Random(1)
    plan = drawn_plan(draw, 64 * 20, models=LARGE, shapes=LARGE_SHAPES, steps=(20, 40))
    costs = CostModel(throughput={(model, "float32"): 400e12 for model in LARGE})
    factors = {key: draw.uniform(0.9, 1.1) for key in ids(plan)}
    end = max(end for end, _, _ in played(deck_of(plan, 64, costs), plan, costs, factors))
    working = sum(costs.job_seconds(item.job) * factors[item.job.job_id] for item in plan.to_run)
    assert working / 64 / end >= 0.95


def test_without_workers_there_is_no_deck():
    with pytest.raises(ValueError, match="0 workers"):
        Deck(make_plan([], {}), COSTS, 0)
