"""What a job makes of its clips, by their records; and what is planned of it then."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from jobs import make_job

from standin_batch.attempts import attempt, attempts
from standin_batch.job import job_id
from standin_batch.manifest.manifest import Acceptance, Condition
from standin_batch.output.layout import OutputLayout
from standin_batch.output.record import job_fields
from standin_batch.run.judging import judge, write_all_down
from standin_batch.run.standing import standing

SHARP = Condition("sharpness", ">=", 100.0)


def asking(number=0, **options):
    """A job that asks for sharp clips, with the id that its content gives it."""
    job = make_job(number, accept=Acceptance((SHARP,), **options))
    return replace(job, job_id=job_id(job))


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(tmp_path)


@pytest.fixture
def made(layout):
    """Puts the record and the video of an attempt where a run would."""

    def make(job, sharpness, **fields):
        video = layout.videos / f"{job.job_id}.mp4"
        video.parent.mkdir(parents=True, exist_ok=True)
        video.write_bytes(b"video")
        scores = {} if sharpness is None else {"sharpness": sharpness}
        record = {
            **job_fields(job),
            "video": layout.relative(video),
            "scores": scores,
            "attempt": job.attempt,
            **fields,
        }
        layout.records.mkdir(exist_ok=True)
        layout.record(job.job_id).write_text(json.dumps(record))

    return make


def said(layout, job):
    return json.loads(layout.record(job.job_id).read_text())


def test_records_come_to_say_what_was_decided(layout, made):
    first, second, *_ = attempts(asking())
    made(first, 50)
    made(second, 150)
    write_all_down([first], layout)
    assert [said(layout, job)["accepted"] for job in (first, second)] == [False, True]
    assert said(layout, first)["accept"] == ["sharpness >= 100"]


def test_any_attempt_leads_to_the_same_judgement(layout, made):
    first, second, *_ = attempts(asking())
    made(first, 50)
    made(second, 150)
    assert judge(second, layout) == judge(first, layout)


def test_other_conditions_decide_anew_on_the_same_clips(layout, made):
    first, second, *_ = attempts(asking())
    made(first, 50, accepted=False)
    made(second, 150, accepted=True)
    lenient = make_job(0, accept=Acceptance((Condition("sharpness", ">=", 40.0),)), job_id=first.job_id)
    write_all_down([lenient], layout)
    assert [said(layout, job)["accepted"] for job in (first, second)] == [True, False]


def test_rejected_videos_are_dropped_where_that_is_wanted_and_not_made_again(layout, made):
    first, second, *_ = attempts(asking(rejected="drop"))
    made(first, 50)
    made(second, 150)
    write_all_down([first], layout)
    assert [path.stem for path in layout.videos.iterdir()] == [second.job_id]
    assert [job.job_id for job in standing([first], layout).jobs] == [second.job_id]


def test_nothing_is_dropped_while_it_is_open_which_is_best(layout, made):
    first, second, *_ = attempts(asking(best_of=3, rejected="drop"))
    made(first, 120)
    made(second, 150)
    write_all_down([first], layout)
    assert len(list(layout.videos.iterdir())) == 2
    assert said(layout, first)["accepted"] is None


@pytest.mark.parametrize("broken", ["many", True, [1], {}])
def test_scores_that_somebody_has_spoilt_decide_nothing(layout, made, broken):
    job = asking()
    made(job, broken)
    assert judge(job, layout).decision.unscored == (0,)


def test_what_is_planned_are_the_attempts_that_are_wanted(layout, made):
    plain, single, several = make_job(1), asking(2), asking(3, best_of=2)
    made(single, 50)
    found = standing([plain, single, several], layout)
    assert list(found.jobs) == [plain, attempt(single, 1), several, attempt(several, 1)]
    assert {key: str(reason) for key, reason in found.reseeded.items() if reason.changes} == {
        attempt(single, 1).job_id: "another seed: attempt 1 had sharpness 50, not >= 100"
    }


def test_a_job_without_attempts_left_is_told_with_its_best_clip(layout, made):
    job = asking(max_reseeds=1)
    for each, sharpness in zip(attempts(job), (50, 80), strict=True):
        made(each, sharpness)
    found = standing([job], layout)
    assert found.jobs == ()
    (missing,) = found.not_accepted
    assert (
        missing.error.message == "none of its 2 clips was accepted: the best, attempt 2, had sharpness 80, not >= 100"
    )


def test_the_share_of_clips_that_were_good_enough_is_known(layout, made):
    job = asking()
    for each, sharpness in zip(attempts(job), (50, 80, 90, 100), strict=True):
        made(each, sharpness)
    assert standing([job], layout).acceptance == 0.25
    assert standing([asking(9)], layout).acceptance is None


def test_clips_without_scores_are_counted_and_stand_for_their_job(layout, made):
    job = asking()
    made(job, None)
    found = standing([job], layout)
    assert (found.unscored, found.jobs, found.not_accepted) == (1, (job,), ())
