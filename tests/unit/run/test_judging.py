"""What a job makes of its clips, by their records; and what is planned of it then."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jobs import make_job

from standin_batch.attempts import attempt, attempts
from standin_batch.job import Subject, job_id
from standin_batch.manifest.manifest import Acceptance, Condition
from standin_batch.output.layout import OutputLayout
from standin_batch.output.record import job_fields
from standin_batch.output.store import has_video
from standin_batch.output.video import write_video
from standin_batch.plan.reason import Reason
from standin_batch.run.judging import drop, judge, write_all_down, write_down
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
        write_clip(video, job.job_id)
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


def write_clip(path, job_id):
    """The smallest video that names its job."""
    write_video(path, np.zeros((1, 16, 16, 3), np.uint8), 8.0, metadata={"job_id": job_id})


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


def dropped(layout, job, *made_now):
    judged = judge(job, layout)
    write_down(judged, layout)
    drop(judged, layout, {each.job_id for each in made_now})


def test_rejected_videos_are_dropped_where_that_is_wanted_and_not_made_again(layout, made):
    first, second, *_ = attempts(asking(rejected="drop"))
    made(first, 50)
    made(second, 150)
    dropped(layout, first, first, second)
    assert [path.stem for path in layout.videos.iterdir()] == [second.job_id]
    assert [job.job_id for job in standing([first], layout).jobs] == [second.job_id]
    assert not has_video(layout, said(layout, first))


def test_what_an_earlier_run_has_made_is_not_dropped(layout, made):
    """It was accepted once, by other conditions or other scores."""
    first, second, *_ = attempts(asking(rejected="drop"))
    made(first, 50, accepted=True)
    made(second, 150)
    dropped(layout, first, second)
    assert len(list(layout.videos.iterdir())) == 2


def test_the_video_of_another_job_is_never_dropped(layout, made):
    first, second, *_ = attempts(asking(rejected="drop"))
    made(first, 50, video="videos/same.mp4")
    made(second, 150)
    write_clip(layout.videos / "same.mp4", "another")
    dropped(layout, first, first, second)
    assert (layout.videos / "same.mp4").is_file()


def test_a_dropped_clip_is_taken_only_where_no_other_can_be(layout, made):
    first, second, third, _ = attempts(asking(rejected="drop"))
    made(first, 50)
    made(second, 70)
    dropped(layout, first, first, second)
    made(third, 60)
    lenient = replace(first, accept=Acceptance((Condition("sharpness", ">=", 40.0),)))
    assert [job.job_id for job in standing([lenient], layout).jobs] == [third.job_id]
    stricter = replace(first, accept=Acceptance((Condition("sharpness", ">=", 65.0),)))
    found = standing([stricter], layout)
    assert [job.job_id for job in found.jobs] == [second.job_id]
    assert found.reseeded == {second.job_id: Reason.DROPPED}


def test_a_job_that_asks_for_nothing_any_more_takes_its_clip(layout, made):
    job = asking()
    made(job, 50)
    write_all_down([job], layout)
    assert said(layout, job)["accepted"] is False
    write_all_down([replace(job, accept=None)], layout)
    assert {key: said(layout, job)[key] for key in ("accept", "accepted", "attempt_of")} == {
        "accept": [],
        "accepted": None,
        "attempt_of": None,
    }


def test_attempts_that_are_no_longer_allowed_are_not_taken(layout, made):
    first, second, third = attempts(asking(max_reseeds=2))
    for each, sharpness in ((first, 50), (second, 60), (third, 150)):
        made(each, sharpness)
    write_all_down([first], layout)
    assert said(layout, third)["accepted"] is True
    write_all_down([asking(max_reseeds=1)], layout)
    assert said(layout, third)["accepted"] is False


def test_an_attempt_that_shows_nothing_is_followed_by_the_next(layout):
    job = asking(max_reseeds=1)
    assert standing([job], layout, {job.job_id}).jobs == (attempt(job, 1),)
    assert standing([job], layout, {job.job_id, attempt(job, 1).job_id}).not_accepted


def test_a_clip_whose_face_counts_and_was_not_looked_at_is_unscored(layout, made):
    subject = Subject("ada", Path("ada.png"), "face", "error", "a" * 64)
    job = make_job(0, subject=subject, accept=Acceptance((Condition("face_similarity", ">=", 0.5),)))
    job = replace(job, job_id=job_id(job))
    made(job, 50)
    assert judge(job, layout).decision.unscored == (0,)


def test_nothing_is_dropped_while_it_is_open_which_is_best(layout, made):
    first, second, *_ = attempts(asking(best_of=3, rejected="drop"))
    made(first, 120)
    made(second, 150)
    dropped(layout, first, first, second)
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
        attempt(single, 1).job_id: "another seed: no clip so far was accepted"
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
    assert (found.unscored, found.jobs, found.not_accepted) == ((job,), (job,), ())
