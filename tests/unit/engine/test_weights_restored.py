"""After jobs with LoRAs, identities and VACE, every weight is what it was, to the bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from jobs import make_job
from shown import Shown, subject_of

from standin_batch.engine.engine import Engine
from standin_batch.engine.pipeline import experts_of
from standin_batch.job import InputFile, Lora, Subject
from standin_batch.weights.locate import locate
from standin_batch.weights.registry import ROWS

PLAIN = make_job(prompt="A man sits.", negative_prompt="blurry", shape=(64, 64, 5), num_inference_steps=3)
SUBJECT = Subject("s", Path("subject.png"), "subject", "error", "digest of the subject")


@pytest.fixture
def shown(golden):
    return Shown(subject_of(golden))


def lora(golden, name, scale=1.0, key="all"):
    path = golden / "weights" / "loras" / name
    return Lora(name, {key: InputFile(path, name)}, scale)


def weights(engine):
    return [{name: tensor.clone() for name, tensor in dit.state_dict().items()} for dit in experts_of(engine.pipe)]


def run(engine, shown, job):
    return engine.generate(job, shown, lambda step, steps: None).latents


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_one_expert(golden, shown, dtype):
    engine = Engine.load("tiny", dtype, locate(ROWS["tiny"], golden / "weights", ("vace",)), "cpu")
    plain = replace(PLAIN, dtype=dtype)
    before, alone = weights(engine), run(engine, shown, plain)
    control = replace(plain, mode="vace", params={"vace_scale": 0.8, "preprocess": "none"}, subject=SUBJECT)
    control = replace(control, files={"reference_image": InputFile(golden / "inputs" / "reference_image.png", "r")})
    for job in (
        replace(plain, loras=(lora(golden, "style.safetensors", 0.7),), subject=SUBJECT),
        replace(plain, loras=(lora(golden, "style.safetensors"), lora(golden, "style_high.safetensors", -0.3))),
        replace(control, loras=(lora(golden, "style_low.safetensors", 2.0),)),
    ):
        assert not torch.equal(run(engine, shown, job), alone)
    assert torch.equal(run(engine, shown, plain), alone)
    assert_equal(weights(engine), before)


def test_a_lora_for_one_of_two_experts_leaves_the_other_alone(golden, shown):
    engine = Engine.load("tiny-2.2", "float32", locate(ROWS["tiny-2.2"], golden / "weights"), "cpu")
    plain = replace(PLAIN, model="tiny-2.2", cfg_scale=(4.0, 3.0), num_inference_steps=4, sigma_shift=12.0)
    before = weights(engine)
    run(engine, shown, replace(plain, loras=(lora(golden, "style_high.safetensors", key="high_noise"),)))
    with_lora = weights(engine)
    assert_equal(with_lora[1:], before[1:])
    assert any(not torch.equal(with_lora[0][name], tensor) for name, tensor in before[0].items())
    run(engine, shown, plain)
    assert_equal(weights(engine), before)


def assert_equal(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], tensor) for name, tensor in other.items())
