"""One cheap clip for each combination of model, mode, LoRAs and identity."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from jobs import make_job

from standin_batch.job import InputFile, Lora, Subject, job_id
from standin_batch.plan.preview import preview

ADA = Subject("ada", Path("ada"), "face", "error", "a" * 64)
JOB = make_job(
    subject=ADA,
    model="wan2.1-t2v-14b",
    shape=(832, 480, 81),
    num_inference_steps=20,
    dtype="bfloat16",
)


def test_a_preview_is_small_short_and_quick():
    (cheap,) = preview([JOB])
    assert (cheap.width, cheap.height, cheap.num_frames, cheap.num_inference_steps) == (416, 240, 17, 8)
    assert cheap.job_id == job_id(cheap), "it is another video"


def test_sizes_stay_in_the_grid_and_what_is_cheap_stays():
    small = replace(JOB, width=160, height=96, num_frames=9, num_inference_steps=4)
    (cheap,) = preview([small])
    assert (cheap.width, cheap.height, cheap.num_frames, cheap.num_inference_steps) == (80, 96, 9, 4)
    assert cheap.width % 16 == cheap.height % 16 == 0


def test_prompts_and_seeds_share_one():
    jobs = [replace(JOB, prompt=prompt, seed=seed) for prompt in "pq" for seed in range(3)]
    (cheap,) = preview(jobs)
    assert (cheap.prompt, cheap.seed) == ("p", 0), "the first as written"


def test_every_identity_model_mode_and_lora_has_its_own():
    style = Lora("style", {"all": InputFile(Path("s"), "1" * 64)}, 1.0)
    jobs = [
        JOB,
        replace(JOB, subject=None),
        replace(JOB, subject=replace(ADA, digest="b" * 64)),
        replace(JOB, model="wan2.2-t2v-a14b", cfg_scale=(4.0, 3.0)),
        replace(JOB, loras=(style,)),
        replace(JOB, loras=(replace(style, scale=0.5),)),
    ]
    assert len(preview(jobs)) == len(jobs)
