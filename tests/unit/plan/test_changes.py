"""What differs between a video and the job that takes its place, in the manifest's words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from standin_batch.job import InputFile, Lora, Subject
from standin_batch.output.record import job_fields
from standin_batch.plan.changes import UNTOLD, changes, slot_of, slots_of
from standin_batch.plan.reason import Reason
from standin_batch.speed import Speed

ADA = Subject("ada", Path("ada.png"), "face", "error", "a" * 64)
GHIBLI = Lora("ghibli", {"all": InputFile(Path("g"), "g" * 64)}, 0.6)
NOIR = Lora("noir", {"all": InputFile(Path("n"), "n" * 64)}, 1.0)


@pytest.fixture
def made(job):
    """The job that the video was made from."""
    image = {"reference_image": InputFile(Path("i"), "1" * 64)}
    return replace(job(mode="vace", params={"vace_scale": 0.8}, files=image), subject=ADA, loras=(GHIBLI,))


def difference(before, after):
    """As it is found: the record has been through JSON."""
    return changes(json.loads(json.dumps(job_fields(before))), job_fields(after))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"subject": replace(ADA, digest="b" * 64)}, "image of identity ada"),
        ({"subject": replace(ADA, kind="subject")}, "kind of identity ada face -> subject"),
        ({"subject": replace(ADA, on_no_face="whole_image")}, "on_no_face of identity ada error -> whole_image"),
        ({"prompt": "another"}, "prompt"),
        ({"negative_prompt": "blurry"}, "negative_prompt"),
        ({"model": "tiny-2.2", "weights": {"base": "other"}}, "model tiny -> tiny-2.2"),
        ({"weights": {"base": "other", "adapter": "tiny/adapter"}}, "weights (base)"),
        ({"loras": (replace(GHIBLI, files={"all": InputFile(Path("g"), "0" * 64)}),)}, "lora ghibli"),
        ({"loras": (replace(GHIBLI, scale=0.8),)}, "scale of lora ghibli 0.6 -> 0.8"),
        ({"loras": ()}, "lora ghibli removed"),
        ({"loras": (GHIBLI, NOIR)}, "lora noir added"),
        ({"num_inference_steps": 8}, "num_inference_steps 4 -> 8"),
        ({"cfg_scale": (4.0,)}, "cfg_scale 5 -> 4"),
        ({"vae_tiled": True}, "vae_tiled false -> true"),
        ({"speed": Speed(fp8=True, cache=0.1)}, "speed exact -> fp8, teacache 0.1"),
        ({"boundary": 0.9}, "boundary 0.875 -> 0.9"),
        ({"params": {"vace_scale": 0.5}}, "vace_scale 0.8 -> 0.5"),
        ({"files": {"reference_image": InputFile(Path("j"), "2" * 64)}}, "content of reference_image"),
        ({"files": {}}, "reference_image removed"),
    ],
)
def test_each_change_is_named(made, changed, told):
    assert difference(made, replace(made, **changed)) == (told,)


def test_several_changes_are_all_named(made):
    assert difference(made, replace(made, width=176, height=112)) == ("width 160 -> 176", "height 96 -> 112")


def test_the_order_of_loras_counts(made):
    both = replace(made, loras=(GHIBLI, NOIR))
    assert difference(both, replace(made, loras=(NOIR, GHIBLI))) == ("order of loras ghibli/noir -> noir/ghibli",)


def test_names_places_and_what_cannot_matter_are_no_changes(made):
    moved = replace(made, priority=3, subject=replace(ADA, image=Path("elsewhere.png")))
    assert difference(made, moved) == (UNTOLD,)
    cat = replace(made, subject=replace(ADA, kind="subject"))
    assert difference(cat, replace(cat, subject=replace(cat.subject, on_no_face="whole_image"))) == (UNTOLD,)


def test_a_record_from_before_there_was_speed_was_exact(made):
    older = {key: value for key, value in job_fields(made).items() if key != "speed"}
    assert changes(older, job_fields(replace(made, speed=Speed(cache=0.1)))) == ("speed exact -> teacache 0.1",)


def test_what_an_older_record_does_not_have_is_not_compared(made):
    older = {key: value for key, value in job_fields(made).items() if key not in ("loras", "files", "boundary")}
    assert changes(older, job_fields(replace(made, loras=(), prompt="another"))) == ("prompt",)


def test_a_video_and_a_job_of_one_slot_have_the_same_labels(made):
    renamed = replace(made, name="other", also=("job",))
    assert slot_of(job_fields(made)) in slots_of(renamed)
    assert slot_of(job_fields(made)) not in slots_of(replace(made, seed=7))


def test_a_reason_reads_as_a_sentence():
    assert str(Reason.NEW) == "new"
    assert str(Reason.changed("prompt", "width 160 -> 176")) == "changed: prompt, width 160 -> 176"


@pytest.mark.parametrize("field", ["name", "identity", "prompt_name", "seed", "loras", "params", "files", "weights"])
@pytest.mark.parametrize("value", [None, [], {"a": 1}, "text", 7])
def test_a_record_that_somebody_edited_is_no_error(job, field, value):
    fields = job_fields(job(1, who="ada", lora="style"))
    edited = {**fields, field: value}
    assert hash(slot_of(edited)) is not None
    assert all(isinstance(told, str) for told in changes(edited, fields))
