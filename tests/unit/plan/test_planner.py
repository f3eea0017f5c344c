"""What runs, why, and in which order."""

from __future__ import annotations

import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standin_batch.plan.planner import make_plan
from standin_batch.plan.reason import Reason


def ids(plan):
    return [item.job.job_id for item in plan.to_run]


def test_a_done_job_does_not_run(job):
    plan = make_plan([job(0), job(1)], {"0000": None})
    assert ids(plan) == ["0001"]
    assert [done.job_id for done in plan.done] == ["0000"]
    assert plan.total == 2


def test_the_reason_says_what_is_known(job):
    known = {"0001": Reason.FAILED_BEFORE, "0002": Reason.OUTPUT_MISSING, "0003": Reason.changed("prompt")}
    plan = make_plan([job(number) for number in range(4)], known)
    assert [str(item.reason) for item in plan.to_run] == ["new", "failed before", "output missing", "changed: prompt"]


def test_force_runs_also_what_is_done(job):
    plan = make_plan([job(0), job(1)], {"0000": None}, force=True)
    assert [item.reason for item in plan.to_run] == [Reason.FORCED, Reason.NEW]


def test_the_dearest_thing_changes_least(job):
    values = product("pq", "ab", ((160, 96, 9), (96, 96, 9)), ("tiny", "tiny-2.2"))
    written = [job(n, model=m, shape=s, who=w, prompt=p) for n, (p, w, s, m) in enumerate(values)]
    plan = make_plan(written, {})
    assert [group.model for group in plan.groups] == ["tiny", "tiny-2.2"]
    assert plan.switches._asdict() == {
        "models": 2,
        "modules": 0,
        "loras": 0,
        "speeds": 0,
        "shapes": 4,
        "identities": 8,
        "prompts": 6,
    }
    assert plan.switches_in_manifest_order.models == 16


def test_what_two_neighbours_have_in_common_lies_at_their_border(job):
    shapes = ((160, 96, 9), (96, 96, 9))
    values = enumerate(product("xyz", shapes))
    written = [job(n, model="wan2.1-t2v-14b", lora=lora, shape=shape) for n, (lora, shape) in values]
    assert make_plan(written, {}).switches.shapes == 4, "and not 6"


def test_priority_stands_above_what_is_cheap(job):
    plan = make_plan([job(0), job(1, model="tiny-2.2", priority=1), job(2)], {})
    assert ids(plan) == ["0001", "0000", "0002"]


def test_a_priority_ends_with_what_the_next_begins_with(job):
    urgent = [job(0, model="tiny", priority=1), job(1, model="tiny-2.2", priority=1)]
    plan = make_plan([*urgent, job(2, model="tiny")], {})
    assert ids(plan) == ["0001", "0000", "0002"]
    assert plan.switches.models == 2


def test_with_nothing_to_choose_the_manifest_decides(job):
    jobs = [job(number, who=who) for number, who in enumerate("cab")]
    assert ids(make_plan(jobs, {})) == ["0000", "0001", "0002"]


def test_jobs_of_one_prompt_are_together(job):
    jobs = [job(number, prompt=prompt) for number, prompt in enumerate("pqpq")]
    assert ids(make_plan(jobs, {})) == ["0000", "0002", "0001", "0003"]


def test_a_limit_ends_the_same_plan_earlier(job):
    plan = make_plan([job(0), job(1, model="tiny-2.2"), job(2, model="tiny-2.2")], {})
    assert ids(plan.limited(2)) == ids(plan)[:2]
    assert plan.limited(1).groups == plan.groups[:1]
    assert plan.limited(None) is plan


def test_a_limited_plan_is_compared_with_the_same_jobs_as_written(job):
    models = ["tiny", "tiny-2.2", "tiny", "tiny-2.2"]
    plan = make_plan([job(number, model=model) for number, model in enumerate(models)], {}).limited(3)
    assert (plan.switches.models, plan.switches_in_manifest_order.models) == (2, 3)
    assert [written.job_id for written in plan.as_written] == ["0000", "0001", "0002"]


DRAWN = st.lists(
    st.tuples(st.sampled_from(("tiny", "tiny-2.2")), st.sampled_from((None, "a", "b")), st.sampled_from("pq")),
    max_size=30,
)


def jobs_of(job, drawn):
    return [job(n, model=model, who=who, prompt=prompt) for n, (model, who, prompt) in enumerate(drawn)]


@given(drawn=DRAWN, finished=st.sets(st.integers(0, 29)))
def test_every_job_is_planned_once_or_done(job, drawn, finished):
    jobs = jobs_of(job, drawn)
    plan = make_plan(jobs, {f"{number:04d}": None for number in finished})
    assert sorted([*ids(plan), *(done.job_id for done in plan.done)]) == [job.job_id for job in jobs]


@given(drawn=DRAWN)
def test_the_same_jobs_give_the_same_plan_that_loads_each_model_once(job, drawn):
    jobs = jobs_of(job, drawn)
    plan = make_plan(jobs, {})
    assert plan.switches.models == len({job.model for job in jobs})
    assert plan == make_plan(jobs, {})


@pytest.mark.parametrize("identities", [1, 1000])
def test_a_hundred_thousand_jobs_are_planned_in_seconds(job, identities):
    jobs = [job(n, who=f"{n % identities}", prompt=f"{n}") for n in range(100_000)]
    start = time.process_time()
    plan = make_plan(jobs, {})
    assert time.process_time() - start < 2
    assert plan.switches.identities == identities
