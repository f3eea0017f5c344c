"""Blocks in 8 bits, on a CPU: torch multiplies such numbers there, too."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from jobs import make_job
from shown import Shown, subject_of

from standin_batch.engine.engine import Engine
from standin_batch.engine.fp8 import to_eight_bits
from standin_batch.engine.pipeline import experts_of
from standin_batch.job import InputFile, Lora, Subject
from standin_batch.plan.memory import Profile
from standin_batch.speed import EXACT, Speed
from standin_batch.weights.locate import locate
from standin_batch.weights.registry import ROWS

torchao = pytest.importorskip("torchao.quantization.quant_api")

JOB = make_job(
    prompt="A man sits.",
    negative_prompt="blurry",
    shape=(64, 64, 5),
    dtype="bfloat16",
    speed=Speed(fp8=True),
    subject=Subject("s", Path("subject.png"), "subject", "error", "digest of the subject"),
)
NEAR = 0.5
"""Relative error of latents after four steps with random weights: far from that of other weights or noise."""


@pytest.fixture(autouse=True)
def on_a_cpu(monkeypatch, request):
    """torchao refuses CPUs; what it calls does not."""
    if request.node.get_closest_marker("gpu"):
        return
    monkeypatch.setattr(torchao, "_check_hardware_support", lambda granularity: None)


def load(golden, device="cpu"):
    return Engine.load("tiny", "bfloat16", locate(ROWS["tiny"], golden / "weights"), device)


@pytest.fixture
def engine(golden):
    return load(golden)


@pytest.fixture
def latents(golden):
    """The latents of a job on an engine."""
    shown = Shown(subject_of(golden))
    return lambda engine, job: engine.generate(job, shown, lambda step, steps: None).latents


def style(golden, scale=1.0):
    return (Lora("style", {"all": InputFile(golden / "weights" / "loras" / "style.safetensors", "style")}, scale),)


def weights(engine):
    return {name: weight.clone() for name, weight in experts_of(engine.pipe)[0].named_parameters()}


def test_it_is_near_the_exact_one_and_not_the_same(engine, latents):
    exact, found = latents(engine, replace(JOB, speed=EXACT)), latents(engine, JOB)
    assert 0 < ((found - exact).norm() / exact.norm()).item() < NEAR


@pytest.mark.gpu
@pytest.mark.parametrize("speed", [Speed(fp8=True), Speed(attention="sage"), Speed(compile=True)], ids=str)
def test_on_a_gpu_each_is_near_the_exact_one_and_leaves_nothing_behind(golden, latents, speed):
    if speed.attention == "sage":
        pytest.importorskip("sageattention")
    engine = load(golden, "cuda")
    exact, found = latents(engine, replace(JOB, speed=EXACT)), latents(engine, replace(JOB, speed=speed))
    assert ((found - exact).norm() / exact.norm()).item() < NEAR
    assert torch.equal(latents(engine, replace(JOB, speed=speed)), found)
    assert torch.equal(latents(engine, replace(JOB, speed=EXACT)), exact)


def test_linear_layers_of_blocks_alone_are_in_eight_bits(engine):
    dit = experts_of(engine.pipe)[0]
    to_eight_bits(dit, "cpu")
    found = {name for name, weight in dit.named_parameters() if type(weight.data) is not torch.Tensor}
    linear = ("attn.q", "attn.k", "attn.v", "attn.o", "ffn.0", "ffn.2")
    assert found == {
        name
        for name, _ in dit.named_parameters()
        if name.startswith("blocks.") and name.removesuffix(".weight").endswith(linear)
    }
    assert len(found) == len(dit.blocks) * 10


def test_it_comes_off_to_the_very_bits(engine):
    before, dit = weights(engine), experts_of(engine.pipe)[0]
    parameters = dict(dit.named_parameters())
    done = to_eight_bits(dit, "cpu")
    done.restore()
    done.restore()
    assert all(torch.equal(weight, before[name]) for name, weight in dit.named_parameters())
    assert all(weight is parameters[name] for name, weight in dit.named_parameters()), "for whoever has them in hand"


def test_an_error_on_the_way_leaves_the_weights_as_they_were(engine, monkeypatch):
    before, dit = weights(engine), experts_of(engine.pipe)[0]
    dit.blocks[2].ffn[0].weight = torch.nn.Parameter(before["blocks.2.ffn.0.weight"].double())
    with pytest.raises(AssertionError):
        to_eight_bits(dit, "cpu")
    found = dict(dit.named_parameters())
    assert all(torch.equal(found[name], weight) for name, weight in before.items() if name != "blocks.2.ffn.0.weight")


def test_memory_that_runs_out_on_the_way_back_leaves_nobody_with_weights_of_another(engine, latents):
    exact = replace(JOB, speed=EXACT)
    alone = latents(engine, exact)
    latents(engine, JOB)
    to, calls = torch.Tensor.to, itertools.count()

    def allocating(tensor, *arguments, **options):
        if next(calls) == 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return to(tensor, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(torch.OutOfMemoryError):
        patch.setattr(torch.Tensor, "to", allocating)
        engine._bits.make_way(exact, 0)
    assert engine._bits.is_on(0), "half of it"
    assert torch.equal(latents(engine, exact), alone)


def test_nothing_is_left_from_one_job_to_the_next_whatever_is_on_the_weights(engine, golden, latents):
    plain = replace(JOB, speed=EXACT)
    jobs = [
        plain,
        JOB,
        replace(JOB, loras=style(golden)),
        replace(plain, loras=style(golden)),
        replace(JOB, loras=style(golden, 0.5)),
        replace(JOB, speed=Speed(fp8=True, cache=0.25), num_inference_steps=6),
    ]
    before = weights(engine)
    alone = [latents(load(golden), job) for job in jobs]
    assert len({found.numpy().tobytes() for found in alone}) == len(jobs)
    for place in (1, 3, 2, 4, 5, 0):
        assert torch.equal(latents(engine, jobs[place]), alone[place])
    assert all(torch.equal(weight, before[name]) for name, weight in experts_of(engine.pipe)[0].named_parameters())


def test_every_memory_profile_computes_the_same(engine, golden, latents):
    with_style = replace(JOB, loras=style(golden))
    jobs = [JOB, with_style, replace(with_style, speed=EXACT)]
    expected = [latents(engine, job) for job in jobs]
    for profile in (Profile.OFFLOAD, Profile.LOWEST, Profile.RESIDENT):
        engine.use(profile)
        assert all(torch.equal(latents(engine, job), found) for job, found in zip(jobs, expected, strict=True))
