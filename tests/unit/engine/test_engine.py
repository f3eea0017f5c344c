"""The engine against stock DiffSynth and against itself, on the golden weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from jobs import make_job
from PIL import Image
from shown import Shown, subject_of

from standin_batch.engine.adapter import AdapterError, load_adapter
from standin_batch.engine.denoise import expert_at
from standin_batch.engine.engine import Engine
from standin_batch.engine.identity import identity_kv
from standin_batch.job import Subject
from standin_batch.weights.locate import locate
from standin_batch.weights.registry import ROWS

JOB = make_job(
    prompt="A man sits comfortably at a desk.",
    negative_prompt="blurry",
    seed=5,
    shape=(96, 64, 5),
    num_inference_steps=3,
)
SUBJECT = Subject("s", Path("subject.png"), "subject", "error", "digest of the subject")


def load(golden, model):
    return Engine.load(model, "float32", locate(ROWS[model], golden / "weights"), "cpu")


@pytest.fixture(scope="module")
def engine(golden):
    return load(golden, "tiny")


@pytest.fixture
def subject(golden):
    return subject_of(golden)


def generate(engine, job, subject=None, on_step=lambda step, steps: None):
    return engine.generate(job, Shown(subject), on_step)


@pytest.mark.parametrize("model", ["tiny", "tiny-2.2"])
def test_without_identity_it_is_stock_diffsynth_but_for_rounding(golden, model):
    engine = load(golden, model)
    job = replace(JOB, model=model, cfg_scale=(5.0,) * len(ROWS[model].experts), num_inference_steps=6)
    engine.encode_prompts([job.prompt])  # for stock DiffSynth, which needs the text encoder at once
    stock = engine.pipe(
        prompt=job.prompt,
        negative_prompt=job.negative_prompt,
        seed=job.seed,
        width=job.width,
        height=job.height,
        num_frames=job.num_frames,
        num_inference_steps=job.num_inference_steps,
        cfg_scale=5.0,
        sigma_shift=5.0,
        tiled=False,
        progress_bar_cmd=lambda steps: steps,
    )
    off = np.abs(generate(engine, job).frames.astype(int) - np.stack([np.array(frame) for frame in stock]))
    assert off.max() <= 1
    assert np.mean(off != 0) < 5e-4


def test_an_identity_leaves_nothing_behind(engine, subject):
    before = generate(engine, JOB).latents
    with_identity = generate(engine, replace(JOB, subject=SUBJECT), subject).latents
    assert not torch.equal(with_identity, before), "the identity has an effect"
    assert torch.equal(generate(engine, JOB).latents, before)


def test_the_identity_is_prepared_once_for_consecutive_jobs(engine, subject):
    shown = Shown(subject)
    for seed in (1, 2, 3):
        job = replace(JOB, seed=seed, subject=replace(SUBJECT, digest="asked once"))
        engine.generate(job, shown, lambda step, steps: None)
    assert shown.asked == 1


def test_another_identity_is_another_video(engine, subject):
    mirrored = subject.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    one = generate(engine, replace(JOB, subject=SUBJECT), subject).latents
    other = generate(engine, replace(JOB, subject=replace(SUBJECT, digest="other")), mirrored).latents
    assert not torch.equal(one, other)


def test_an_error_inside_a_step_leaves_nothing_of_the_identity_behind(engine, subject):
    def fail(step, steps):
        raise RuntimeError("stop")

    before = generate(engine, JOB).latents
    with pytest.raises(RuntimeError, match="stop"):
        generate(engine, replace(JOB, subject=SUBJECT), subject, fail)
    assert torch.equal(generate(engine, JOB).latents, before)


def test_keys_and_values_depend_on_the_grid_through_rope_on_the_keys_alone(engine, golden):
    dit = engine.pipe.dit
    adapter = load_adapter(golden / "weights/Stand-In/Stand-In_wan2.1_T2V_14B.ckpt", len(dit.blocks), dit.dim, "cpu")
    latent = torch.randn(1, 16, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    small, large = identity_kv(dit, adapter, latent, (4, 6)), identity_kv(dit, adapter, latent, (6, 10))
    (small_keys, small_values), (large_keys, large_values) = small[0], large[0]
    assert small_keys.shape == small_values.shape == (1, 1024, dit.dim)
    assert torch.equal(small_values, large_values)
    assert not torch.equal(small_keys, large_keys)


def test_steps_are_reported(engine):
    seen = []
    generate(engine, JOB, on_step=lambda step, steps: seen.append((step, steps)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_without_guidance_the_negative_prompt_does_not_count(engine):
    job = replace(JOB, cfg_scale=(1.0,))
    assert torch.equal(generate(engine, job).latents, generate(engine, replace(job, negative_prompt="x")).latents)


@pytest.mark.parametrize(
    ("timestep", "two", "expert"), [(1000, True, 0), (875, True, 0), (874.9, True, 1), (0, True, 1), (0, False, 0)]
)
def test_the_low_noise_expert_takes_over_below_the_boundary(timestep, two, expert):
    assert expert_at(timestep, 0.875, two) == expert


def test_each_expert_has_its_own_guidance(golden):
    engine = load(golden, "tiny-2.2")
    job = replace(JOB, model="tiny-2.2", num_inference_steps=6)
    same, low = (generate(engine, replace(job, cfg_scale=scales)).latents for scales in ((4.0, 4.0), (4.0, 3.0)))
    assert not torch.equal(same, low)


def test_prompts_are_encoded_one_by_one_and_forgotten(engine):
    engine.encode_prompts(["a long prompt of several words", "short"])
    together = engine._prompts.of("short")
    engine.encode_prompts(["other"])
    assert engine._prompts.texts == ("other",)
    engine.encode_prompts(["short"])
    assert torch.equal(engine._prompts.of("short"), together), "what else is encoded does not count"


def test_frames_are_what_a_video_needs(engine):
    frames = generate(engine, JOB).frames
    assert frames.shape == (JOB.num_frames, JOB.height, JOB.width, 3)
    assert frames.dtype == np.uint8


class TestAdapter:
    """A checkpoint that does not fit is refused, and says why."""

    @pytest.fixture
    def tensors(self, golden):
        path = golden / "weights/Stand-In/Stand-In_wan2.1_T2V_14B.ckpt"
        return torch.load(path, weights_only=True)["state_dict"]

    def save(self, folder, content):
        torch.save(content, folder / "adapter.ckpt")
        return folder / "adapter.ckpt"

    def test_with_and_without_the_outer_key(self, tmp_path, tensors):
        plain = load_adapter(self.save(tmp_path, tensors), 4, 96, "cpu")
        nested = load_adapter(self.save(tmp_path, {"state_dict": tensors}), 4, 96, "cpu")
        assert torch.equal(plain[3].v.up, nested[3].v.up)
        assert plain[0].q.down.dtype == torch.float32
        assert plain[0].q.down.shape == (128, 96), "the rank is read from the file"

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda t: t.pop("blocks.2.self_attn.k_loras.up.weight"), "incomplete"),
            (lambda t: t.update({"blocks.9.self_attn.q_loras.up.weight": torch.zeros(96, 128)}), "unexpected key"),
            (lambda t: t.update({"other.weight": torch.zeros(1)}), "unexpected key"),
            (lambda t: t.update({"blocks.0.self_attn.q_loras.up.weight": torch.zeros(64, 128)}), "another model"),
        ],
    )
    def test_one_that_does_not_fit(self, tmp_path, tensors, change, said):
        change(tensors)
        with pytest.raises(AdapterError) as caught:
            load_adapter(self.save(tmp_path, tensors), 4, 96, "cpu")
        assert said in f"{caught.value.message} {caught.value.hint}"

    def test_one_that_runs_code_is_not_loaded(self, tmp_path):
        path = self.save(tmp_path, {"state_dict": Path("any object")})
        with pytest.raises(AdapterError, match="cannot be read"):
            load_adapter(path, 4, 96, "cpu")
