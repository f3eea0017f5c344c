"""The kind of a job: what decides how long it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from jobs import make_job

from standin_batch.job import FINGERPRINTED, InputFile
from standin_batch.plan.kind import alike, besides, counts_of, kept_kind, marks_of, work_kind
from standin_batch.speed import Speed

JOB = make_job(1, who="ada")


@pytest.mark.parametrize("same", [{"number": 2}, {"prompt": "q"}, {"who": "bob"}, {"lora": "l"}, {"fps": 8.0}])
def test_seed_words_pictures_and_loras_make_no_other_kind(same):
    assert work_kind(make_job(**{"number": 1, "who": "ada", **same})) == work_kind(JOB)


@pytest.mark.parametrize(
    "other",
    [
        {"model": "tiny-2.2"},
        {"dtype": "bfloat16"},
        {"mode": "vace"},
        {"who": None},
        {"shape": (96, 160, 9)},
        {"shape": (160, 96, 13)},
        {"num_inference_steps": 5},
        {"cfg_scale": (1.0,)},
        {"vae_tiled": True},
        {"speed": Speed(cache=0.1)},
    ],
)
def test_what_changes_the_work_makes_another(other):
    assert work_kind(make_job(**{"number": 1, "who": "ada", **other})) != work_kind(JOB)


def test_a_memory_profile_makes_another_but_for_the_usual_one():
    assert work_kind(JOB, "resident") == work_kind(JOB), "so that notes without one count"
    assert len({work_kind(JOB, memory) for memory in ("resident", "offload", "lowest")}) == 3
    assert kept_kind(JOB, True).startswith(work_kind(JOB)), "writing is the same under all"


IN_KIND = {
    *("model", "mode", "subject", "width", "height", "num_frames", "num_inference_steps"),
    *("cfg_scale", "sigma_shift", "boundary", "dtype", "vae_tiled", "speed", "files"),
}
NOT_IN_KIND = {"loras", "prompt", "negative_prompt", "seed", "fps", "params", "weights"}


def test_every_field_that_decides_a_video_decides_its_kind_or_does_not():
    """A new field of `Job` is sorted here, and counted in `work_kind` and in `_what_decides` if it costs time."""
    assert {"model", *FINGERPRINTED} == IN_KIND | NOT_IN_KIND
    assert not IN_KIND & NOT_IN_KIND


def test_clips_that_are_looked_at_are_another_kind_for_the_writer():
    assert kept_kind(JOB, True) != kept_kind(JOB, False)


def test_what_a_run_does_besides_is_counted():
    jobs = [make_job(0, who="ada"), make_job(1, who="ada", prompt="q"), make_job(2, who="bob", lora="l")]
    assert besides(jobs) == {"clips": 3, "faces": 2}
    changes = {"models": 1, "modules": 0, "loras": 1, "speeds": 0, "shapes": 1, "identities": 2, "prompts": 3}
    assert counts_of(jobs) == {**besides(jobs), **changes}


def test_jobs_of_a_kind_are_told_by_one_of_them():
    jobs = [make_job(0), make_job(1), make_job(2, who="ada"), make_job(3, prompt="q")]
    assert [(one.job, one.number) for one in alike(jobs)] == [(jobs[0], 3), (jobs[2], 1)]
    assert len({work_kind(job) for job in jobs}) == len(alike(jobs))


def test_texts_are_known_again_by_their_model_and_dtype_and_by_nothing_else():
    (mark,) = marks_of([make_job(cfg_scale=(1.0,))]).values()
    (same,) = marks_of([make_job(7, cfg_scale=(1.0,), who="ada", shape=(64, 64, 5))]).values()
    others = marks_of([make_job(cfg_scale=(1.0,), **one) for one in ({"prompt": "q"}, {"model": "tiny-2.2"})])
    assert mark == same
    assert len({*mark, *(each for marks in others.values() for each in marks)}) == 3


def test_videos_that_faces_go_into_are_looked_at_too():
    swap = replace(make_job(mode="face_swap", who="ada"), files={"input_video": InputFile(Path("v.mp4"), "v")})
    assert counts_of([swap])["faces"] == 2
