"""What records, videos and journals say of jobs before a run."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from jobs import make_job

from standin_batch.job import Subject
from standin_batch.output.layout import OutputLayout
from standin_batch.output.record import job_fields
from standin_batch.plan.reason import Reason
from standin_batch.run.journal import Journal, State
from standin_batch.run.known import known_jobs

JOB = make_job(
    job_id="00",
    name="portraits",
    prompt_name="desk",
    subject=Subject("ada", Path("ada.png"), "face", "error", "a" * 64),
    prompt="At a desk.",
)


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(tmp_path)


@pytest.fixture
def done(layout):
    """Puts the video and the record of a job where a run would."""

    def make(job, folder="videos", **fields):
        video = layout.folder / folder / f"{job.job_id}.mp4"
        video.parent.mkdir(parents=True, exist_ok=True)
        video.write_bytes(b"video")
        record = {**job_fields(job), "video": layout.relative(video), "video_bytes": 1000, **fields}
        layout.records.mkdir(exist_ok=True)
        layout.record(job.job_id).write_text(json.dumps(record))
        return video

    return make


def reasons(layout, *jobs):
    return dict(known_jobs(jobs, layout).reasons)


def test_of_an_empty_folder_nothing_is_known(layout):
    known = known_jobs([JOB], layout)
    assert (known.reasons, known.bytes_per_pixel) == ({}, None)


def test_a_job_with_record_and_video_is_done(layout, done):
    done(JOB)
    assert reasons(layout, JOB) == {"00": None}


@pytest.mark.parametrize("folder", ["videos", "videos/portraits/ada", "elsewhere"])
def test_a_video_is_looked_for_where_its_record_says(layout, done, folder):
    video = done(JOB, folder)
    assert reasons(layout, JOB) == {"00": None}
    video.unlink()
    assert reasons(layout, JOB) == {"00": Reason.OUTPUT_MISSING}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"job_id": "01", "video": "v"}', '{"job_id": "00"}'])
def test_a_record_that_cannot_be_read_is_none(layout, done, text):
    done(JOB)
    layout.record("00").write_text(text)
    assert reasons(layout, JOB) == {}


def test_a_job_whose_last_attempt_failed_failed_before(layout, done):
    with closing(Journal(layout.journals)) as journal:
        journal.write("00", "portraits", State.FAILED, "no face")
    assert reasons(layout, JOB) == {"00": Reason.FAILED_BEFORE}
    done(JOB)
    assert reasons(layout, JOB) == {"00": None}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"num_inference_steps": 8}, "num_inference_steps 4 -> 8"),
        ({"prompt": "At a table."}, "prompt"),
        ({"subject": replace(JOB.subject, digest="b" * 64)}, "image of identity ada"),
    ],
)
def test_a_job_in_the_place_of_another_video_says_what_changed(layout, done, changed, told):
    done(JOB)
    assert reasons(layout, replace(JOB, job_id="01", **changed)) == {"01": Reason.changed(told)}


@pytest.mark.parametrize("changed", [{"seed": 1}, {"prompt_name": "tree"}, {"name": "others"}, {"subject": None}])
def test_a_job_that_is_called_something_else_is_new(layout, done, changed):
    done(JOB)
    assert reasons(layout, replace(JOB, job_id="01", **changed)) == {}


def test_a_video_that_a_job_still_owns_is_not_replaced(layout, done):
    done(JOB)
    assert reasons(layout, JOB, replace(JOB, job_id="01", num_inference_steps=8)) == {"00": None}


def test_of_several_replaced_videos_the_nearest_is_told(layout, done):
    done(replace(JOB, job_id="02", num_inference_steps=20, width=176))
    done(replace(JOB, job_id="03", num_inference_steps=6))
    found = reasons(layout, replace(JOB, job_id="01", num_inference_steps=8))
    assert found == {"01": Reason.changed("num_inference_steps 6 -> 8")}


def test_the_size_of_videos_is_measured_on_those_that_are_done(layout, done):
    longer = replace(JOB, job_id="01", num_frames=17)
    done(JOB, video_bytes=9 * 160 * 96)
    done(longer, video_bytes=3 * 17 * 160 * 96)
    done(replace(JOB, job_id="02"), video_bytes=None)
    assert known_jobs([JOB, longer], layout).bytes_per_pixel == (9 + 3 * 17) / (9 + 17)


def test_a_symlink_to_a_video_is_a_video(layout, done, tmp_path):
    video = done(JOB)
    video.rename(tmp_path / "moved.mp4")
    video.symlink_to(tmp_path / "moved.mp4")
    assert reasons(layout, JOB) == {"00": None}


def test_a_job_that_was_begun_and_not_finished_was_interrupted(layout):
    with closing(Journal(layout.journals)) as journal:
        for number, state in enumerate((State.RUNNING, State.CANCELLED, State.REQUEUED)):
            journal.write(f"{number:04d}", "job", state)
    jobs = [make_job(number) for number in range(3)]
    assert set(reasons(layout, *jobs).values()) == {Reason.INTERRUPTED}


@pytest.mark.parametrize(("kind", "lasts"), [("input", True), ("not_a_number", True), ("io", False), ("", False)])
def test_what_failed_by_its_own_content_lasts(layout, kind, lasts):
    with closing(Journal(layout.journals)) as journal:
        journal.write(JOB.job_id, JOB.label, State.FAILED, "why", kind=kind)
    assert known_jobs([JOB], layout).lasting == ({JOB.job_id} if lasts else set())


def test_unless_it_is_done_by_now(layout, done):
    with closing(Journal(layout.journals)) as journal:
        journal.write(JOB.job_id, JOB.label, State.FAILED, "why", kind="input")
    done(JOB)
    assert known_jobs([JOB], layout).lasting == set()


def test_videos_that_were_not_looked_at_when_their_run_was_cut_off_are_known(layout, done):
    one, other, scored = (replace(JOB, job_id=f"0{number}") for number in range(3))
    for job in (one, other):
        done(job)
    done(scored, scores={"sharpness": 1.0})
    with closing(Journal(layout.journals)) as journal:
        for job in (one, other, scored):
            journal.write(job.job_id, "job", State.RUNNING)
        journal.write(other.job_id, "job", State.COMPLETED)
    assert known_jobs([one, other, scored], layout).cut_off == {one.job_id}
