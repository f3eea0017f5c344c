"""What runs, why, and in which order."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from standin_batch.job import Job, Subject
from standin_batch.plan.plan import Reason, count_switches
from standin_batch.plan.planner import make_plan


def job(number=0, *, model="tiny", who=None, prompt="p", width=160, priority=0):
    subject = None if who is None else Subject(who, Path(who), "subject", "error", who)
    return Job(
        job_id=f"{number:04d}",
        name="job",
        prompt_name=prompt,
        priority=priority,
        model=model,
        mode="t2v",
        subject=subject,
        prompt=prompt,
        negative_prompt="",
        seed=number,
        width=width,
        height=96,
        num_frames=9,
        fps=25.0,
        num_inference_steps=4,
        cfg_scale=(5.0,),
        sigma_shift=5.0,
        boundary=0.875,
        dtype="float32",
        vae_tiled=False,
    )


def ids(plan):
    return [item.job.job_id for item in plan.to_run]


def test_a_done_job_does_not_run():
    plan = make_plan([job(0), job(1)], {"0000": None})
    assert ids(plan) == ["0001"]
    assert [done.job_id for done in plan.done] == ["0000"]
    assert plan.total == 2


def test_the_reason_says_what_is_known():
    jobs = [job(number) for number in range(3)]
    plan = make_plan(jobs, {"0001": Reason.FAILED_BEFORE, "0002": Reason.OUTPUT_MISSING})
    assert [item.reason for item in plan.to_run] == [Reason.NEW, Reason.FAILED_BEFORE, Reason.OUTPUT_MISSING]


def test_force_runs_also_what_is_done():
    plan = make_plan([job(0), job(1)], {"0000": None}, force=True)
    assert [item.reason for item in plan.to_run] == [Reason.FORCED, Reason.NEW]


def test_the_dearest_thing_changes_least():
    written = [
        job(n, model=model, width=width, who=who, prompt=prompt)
        for n, (prompt, who, width, model) in enumerate(product("pq", "ab", (160, 96), ("tiny", "tiny-2.2")))
    ]
    plan = make_plan(written, {})
    assert [group.model for group in plan.groups] == ["tiny", "tiny-2.2"]
    assert (plan.switches.models, plan.switches.shapes, plan.switches.identities) == (2, 4, 8)
    assert plan.switches_in_manifest_order.models == 16


def test_priority_stands_above_what_is_cheap():
    plan = make_plan([job(0, model="tiny"), job(1, model="tiny-2.2", priority=1), job(2, model="tiny")], {})
    assert ids(plan) == ["0001", "0000", "0002"]


def test_with_nothing_to_choose_the_manifest_decides():
    jobs = [job(number, who=who) for number, who in enumerate("abc")]
    assert ids(make_plan(jobs, {})) == ["0000", "0001", "0002"]


def test_a_limit_ends_the_same_plan_earlier():
    plan = make_plan([job(0), job(1, model="tiny-2.2"), job(2, model="tiny-2.2")], {})
    assert ids(plan.limited(2)) == ids(plan)[:2]
    assert plan.limited(1).groups == plan.groups[:1]
    assert plan.limited(None) is plan


def test_identities_and_shapes_start_anew_with_other_weights():
    jobs = [job(0, who="a"), job(1, who="a", model="tiny-2.2")]
    assert count_switches(jobs).identities == 2
    assert count_switches([jobs[0], replace(jobs[0], seed=9)]).identities == 1


JOBS = st.lists(
    st.tuples(st.sampled_from(("tiny", "tiny-2.2")), st.sampled_from((None, "a", "b")), st.sampled_from("pq")),
    max_size=30,
).map(lambda drawn: [job(n, model=model, who=who, prompt=prompt) for n, (model, who, prompt) in enumerate(drawn)])


@given(JOBS, st.sets(st.integers(0, 29)))
def test_every_job_is_planned_once_or_done(jobs, finished):
    plan = make_plan(jobs, {f"{number:04d}": None for number in finished})
    assert sorted([*ids(plan), *(done.job_id for done in plan.done)]) == [job.job_id for job in jobs]


@given(JOBS)
def test_the_plan_loads_each_model_once(jobs):
    assert make_plan(jobs, {}).switches.models == len({job.model for job in jobs})
