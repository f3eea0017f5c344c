"""Experts that take turns: never are two of them on the device at once, nor one beside the text encoder."""

from __future__ import annotations

import pytest
from jobs import make_job

from standin_batch.engine.engine import Denoised, Engine
from standin_batch.engine.pipeline import experts_of
from standin_batch.plan.memory import Profile
from standin_batch.weights.locate import locate
from standin_batch.weights.registry import ROWS

DEVICE = "cpu:0"
"""The same memory as `cpu`, by another name: so that what is moved can be told from what stays."""

JOBS = [
    make_job(
        number,
        model="tiny-2.2",
        prompt=f"prompt {number}",
        shape=(64, 64, 5),
        cfg_scale=(4.0, 3.0),
        sigma_shift=12.0,
        num_inference_steps=4,
    )
    for number in range(4)
]


class Nobody:
    def image(self, job):
        raise AssertionError("there is no identity here")

    face_models = image


@pytest.fixture
def engine(golden):
    files = locate(ROWS["tiny-2.2"], golden / "weights")
    return Engine.load("tiny-2.2", "float32", files, DEVICE, profile=Profile.OFFLOAD)


@pytest.fixture
def places(engine, monkeypatch):
    """Which of the large parts are on the device, after each move."""
    here, seen = set(), []

    def watch(name, part):
        move = part.to

        def to(*arguments, **options):
            (here.add if arguments[0] == DEVICE else here.discard)(name)
            seen.append(frozenset(here))
            return move(*arguments, **options)

        monkeypatch.setattr(part, "to", to)

    engine.encode_prompts(["loads the text encoder"])
    for index, dit in enumerate(experts_of(engine.pipe)):
        watch(index, dit)
    watch("text encoder", engine.pipe.text_encoder)
    return seen


def test_one_large_part_is_there_at_a_time_through_several_windows(engine, places):
    for window in (JOBS[:2], JOBS[2:]):
        engine.encode_prompts(job.prompt for job in window)
        works = [engine.begin(job, Nobody()) for job in window]
        for expert in engine.experts:
            for work in works:
                engine.denoise(work, expert, lambda step, steps: None)
        for work in works:
            engine.decode(Denoised.of(work))
    assert max(map(len, places)) == 1
    assert {part for there in places for part in there} == {0, 1, "text encoder"}


def test_the_clips_are_those_of_experts_that_stay(engine, golden):
    resident = Engine.load("tiny-2.2", "float32", engine.files, "cpu")
    for job in JOBS[:2]:
        taken, stayed = (each.generate(job, Nobody(), lambda step, steps: None).latents for each in (engine, resident))
        assert taken.equal(stayed)
