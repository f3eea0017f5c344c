"""Where videos go: by the template, and never outside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jobs import make_job

from standin_batch.job import Subject
from standin_batch.output.layout import OutputLayout
from standin_batch.speed import Speed

LAYOUT = OutputLayout(Path("/out"))
TEMPLATE = "{name}/{identity}-{prompt}-{seed}-{job_id}"
JOB = make_job(
    job_id="0123456789abcdef",
    name="portraits",
    prompt_name="desk",
    subject=Subject("lecun", Path("x"), "face", "error", "0"),
    seed=3,
)


def test_the_template_names_the_video():
    expected = Path("/out/videos/portraits/lecun-desk-3-0123456789abcdef.mp4")
    assert LAYOUT.video(JOB, TEMPLATE) == expected


def test_a_job_without_identity_says_so():
    assert LAYOUT.video(replace(JOB, subject=None), "{identity}").name == "none.mp4"


def test_clips_of_one_seed_can_be_told_apart_by_their_speed():
    quick = replace(JOB, speed=Speed(fp8=True, cache=0.1))
    assert [LAYOUT.video(job, "{seed}-{speed}").name for job in (JOB, quick)] == [
        "3-exact.mp4",
        "3-fp8_teacache_0.1.mp4",
    ]


def test_names_keep_the_letters_of_every_language():
    assert LAYOUT.video(replace(JOB, prompt_name="举起双手"), "{prompt}").name == "举起双手.mp4"


@pytest.mark.parametrize("template", ["../../{job_id}", "/etc/{job_id}", "a/../../{job_id}", "{name}"])
def test_no_template_leaves_the_folder(template):
    path = LAYOUT.video(replace(JOB, name="../../etc"), template)
    assert ".." not in path.parts
    assert path.is_relative_to("/out/videos")


@given(st.text(max_size=400))
def test_no_name_leaves_the_folder(name):
    path = LAYOUT.video(replace(JOB, name=name, prompt_name=name), "{name}/{prompt}-{job_id}")
    assert ".." not in path.parts
    assert len(path.relative_to("/out/videos").parts) == 2
    assert all("\0" not in part and not part.startswith(".") for part in path.parts)


@given(st.text(min_size=1, max_size=120), st.text(min_size=1, max_size=120))
def test_two_jobs_never_share_a_name_however_long_theirs_are(name, prompt):
    jobs = [replace(JOB, name=name, prompt_name=prompt, job_id=f"{number:016d}") for number in range(2)]
    for template in (TEMPLATE, "{name}-{prompt}-{identity}-{name}-{prompt}-{name}-{prompt}-{job_id}"):
        one, other = (LAYOUT.video(job, template) for job in jobs)
        assert one != other
        assert all(len(part.encode()) < 255 for part in one.parts)
