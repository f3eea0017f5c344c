"""What is left of a shard whose task is started again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from jobs import make_job
from records import write_records

from standin_batch.attempts import attempt
from standin_batch.backends.crew.news import Told
from standin_batch.backends.crew.orders import plan_of
from standin_batch.backends.slurm.taken_up import still_to_do, unscored
from standin_batch.job import job_id
from standin_batch.manifest.manifest import Acceptance, Condition
from standin_batch.output.layout import OutputLayout
from standin_batch.plan.plan import Plan
from standin_batch.plan.reason import Reason
from standin_batch.run.events import JobCompleted, JobFailed

JOBS = [make_job(number) for number in range(4)]
LIKE = Acceptance((Condition("sharpness", ">=", 100.0),), max_reseeds=2)


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(tmp_path)


def made(layout, job, **scores):
    write_records(layout, [{"job_id": job.job_id, "video": f"videos/{job.job_id}.mp4", "scores": scores}])


def left(shard, layout, *events):
    return [item.job.job_id for item in still_to_do(shard, layout, map(Told, events), frozenset()).to_run]


def forced(shard):
    groups = (
        replace(each, jobs=tuple(replace(item, reason=Reason.FORCED) for item in each.jobs)) for each in shard.groups
    )
    return Plan(tuple(groups), ())


def completed(job):
    return JobCompleted(job.job_id, job.label, "a.mp4", 1.0)


def failed(job, kind="io"):
    return JobFailed(job.job_id, job.label, "no", "", kind)


def test_all_of_it_in_its_order_where_nobody_had_it_before(layout):
    assert left(plan_of(JOBS), layout) == ["0000", "0001", "0002", "0003"]


def test_what_has_a_record_and_a_video_is_done(layout):
    made(layout, JOBS[1])
    made(layout, JOBS[2])
    (layout.videos / "0002.mp4").unlink()
    assert left(plan_of(JOBS), layout) == ["0000", "0002", "0003"]


def test_what_has_failed_is_not_tried_again_in_the_same_run(layout):
    assert left(plan_of(JOBS), layout, failed(JOBS[0])) == ["0001", "0002", "0003"]


def test_nothing_is_left_of_a_group_that_is_done(layout):
    shard = plan_of([JOBS[0], make_job(9, model="tiny-2.2")])
    assert [group.model for group in still_to_do(shard, layout, [Told(completed(JOBS[0]))], frozenset()).groups] == [
        "tiny-2.2"
    ]


def test_a_forced_job_is_made_though_it_was_before_but_once(layout):
    for job in JOBS:
        made(layout, job)
    assert left(forced(plan_of(JOBS)), layout, completed(JOBS[0])) == ["0001", "0002", "0003"]


def test_the_attempt_that_follows_from_a_clip_that_was_not_taken_is_made(layout):
    job = make_job(7, accept=LIKE)
    job = replace(job, job_id=job_id(job))
    made(layout, job, sharpness=5)
    assert left(plan_of([job]), layout, completed(job)) == [attempt(job, 1).job_id]
    made(layout, attempt(job, 1), sharpness=500)
    assert left(plan_of([job]), layout, completed(job)) == []


def test_another_seed_follows_a_clip_that_showed_nothing(layout):
    job = make_job(7, accept=LIKE)
    job = replace(job, job_id=job_id(job))
    assert left(plan_of([job]), layout, failed(job, "constant_video")) == [attempt(job, 1).job_id]


def test_what_is_made_and_was_not_looked_at_is_looked_at_by_who_goes_on(layout):
    made(layout, JOBS[0])
    made(layout, JOBS[1], sharpness=5)
    assert unscored(plan_of(JOBS), layout, scored=True) == [JOBS[0]]
    assert unscored(plan_of(JOBS), layout, scored=False) == []
    assert unscored(forced(plan_of(JOBS)), layout, scored=True) == []


def test_also_what_only_its_own_job_asks_for_in_any_attempt(layout):
    job = make_job(7, accept=LIKE)
    job = replace(job, job_id=job_id(job))
    made(layout, job, sharpness=5)
    made(layout, attempt(job, 1))
    assert [each.job_id for each in unscored(plan_of([job]), layout, scored=False)] == [attempt(job, 1).job_id]
