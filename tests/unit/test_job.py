"""What a job's id depends on."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from standin_batch.job import FINGERPRINTED, ID_LENGTH, NOT_FINGERPRINTED, InputFile, Job, Lora, Subject, job_id
from standin_batch.manifest.manifest import Acceptance, Condition
from standin_batch.speed import EXACT, Speed

FACE = Subject("lecun", Path("/a/lecun.jpg"), "face", "error", "f" * 64)
JOB = Job(
    name="portraits",
    prompt_name="desk",
    model="tiny",
    mode="t2v",
    subject=FACE,
    prompt="A man sits at a desk.",
    negative_prompt="blurry",
    seed=0,
    width=160,
    height=96,
    num_frames=9,
    fps=25.0,
    num_inference_steps=4,
    cfg_scale=(5.0,),
    sigma_shift=5.0,
    boundary=0.875,
    dtype="float32",
    vae_tiled=False,
    weights={"base": "b", "adapter": "a", "face": "f"},
)
OTHER = {
    "name": "others",
    "prompt_name": "table",
    "priority": 7,
    "retries": 0,
    "accept": Acceptance((Condition("face_similarity", ">=", 0.55),)),
    "attempt": 2,
    "first_seed": 7,
    "also": ("again",),
    "model": "tiny-2.2",
    "mode": "vace",
    "subject": None,
    "loras": (Lora("ghibli", {"all": InputFile(Path("/l"), "1" * 64)}, 1.0),),
    "prompt": "A woman stands.",
    "negative_prompt": "",
    "seed": 1,
    "width": 176,
    "height": 112,
    "num_frames": 13,
    "fps": 16.0,
    "num_inference_steps": 5,
    "cfg_scale": (4.0,),
    "sigma_shift": 12.0,
    "boundary": 0.9,
    "dtype": "bfloat16",
    "vae_tiled": True,
    "speed": Speed(cache=0.1),
    "params": {"vace_scale": 0.5},
    "files": {"reference_video": InputFile(Path("/v"), "2" * 64)},
    "weights": {"base": "c", "adapter": "a", "face": "f"},
    "job_id": "0" * ID_LENGTH,
}


def test_every_field_is_sorted_as_one_or_the_other():
    names = [field.name for field in fields(Job)]
    assert sorted((*FINGERPRINTED, *NOT_FINGERPRINTED)) == sorted(names)
    assert sorted(OTHER) == sorted(names), "and every field is tried below"


@pytest.mark.parametrize("name", FINGERPRINTED)
def test_what_decides_the_video_changes_the_id(name):
    assert job_id(replace(JOB, **{name: OTHER[name]})) != job_id(JOB)


@pytest.mark.parametrize("name", NOT_FINGERPRINTED)
def test_labels_and_order_do_not(name):
    assert job_id(replace(JOB, **{name: OTHER[name]})) == job_id(JOB)


def test_a_label_says_what_is_given_up_for_speed():
    quick = replace(JOB, speed=Speed(cache=0.1))
    assert quick.label == JOB.label.replace(" · seed", " · teacache 0.1 · seed")


def test_an_identity_counts_by_its_content_not_by_its_name_or_place():
    moved = replace(FACE, name="yann", image=Path("/b/yann.jpg"))
    assert job_id(replace(JOB, subject=moved)) == job_id(JOB)
    assert job_id(replace(JOB, subject=replace(FACE, digest="e" * 64))) != job_id(JOB)


def test_how_an_identity_is_prepared_counts_where_it_can_matter():
    whole = {"on_no_face": "whole_image"}
    assert job_id(replace(JOB, subject=replace(FACE, **whole))) != job_id(JOB)
    cat = replace(FACE, kind="subject")
    assert job_id(replace(JOB, subject=replace(cat, **whole))) == job_id(replace(JOB, subject=cat))


def test_a_lora_counts_by_content_and_scale():
    lora = OTHER["loras"][0]
    with_lora = job_id(replace(JOB, loras=(lora,)))
    assert job_id(replace(JOB, loras=(replace(lora, name="renamed"),))) == with_lora
    assert job_id(replace(JOB, loras=(replace(lora, scale=0.5),))) != with_lora


def test_the_id_is_the_same_on_every_machine():
    assert job_id(JOB) == "e3ad60ebe805fdaf"


def test_speed_that_is_off_is_no_part_of_the_id_and_each_option_that_is_on_makes_another():
    assert job_id(replace(JOB, speed=Speed())) == "e3ad60ebe805fdaf", "as before there was such a thing"
    options = [Speed(attention="sage"), Speed(fp8=True), Speed(cache=0.1), Speed(cache=0.2), Speed(compile=True)]
    found = {job_id(replace(JOB, speed=speed)) for speed in (EXACT, *options, Speed(fp8=True, cache=0.1))}
    assert len(found) == 2 + len(options)
