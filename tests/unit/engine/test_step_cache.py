"""TeaCache: which steps are computed, and a clip that skips some."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from jobs import make_job

from standin_batch.engine.denoise import Denoising
from standin_batch.engine.engine import Engine
from standin_batch.engine.step_cache import StepCache, computed_steps, summed
from standin_batch.speed import Speed
from standin_batch.weights.locate import locate
from standin_batch.weights.registry import ROWS
from standin_batch.weights.rows_14b import TEACACHE_14B

LINEAR = (0.1, 0.0)
CHANGES = st.lists(st.floats(0, 3), max_size=60)
THRESHOLDS = st.floats(0.001, 1)


class TestComputedSteps:
    """A pure function of changes, coefficients and threshold."""

    def test_a_step_is_computed_when_the_changes_since_the_last_one_add_up_to_the_threshold(self):
        changes = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
        assert computed_steps(changes, LINEAR, 0.25) == (True, False, False, True, False, False, True)

    @pytest.mark.parametrize(("changes", "steps"), [([], 1), ([0.0], 2)])
    def test_with_few_steps_all_are_computed(self, changes, steps):
        assert computed_steps(changes, LINEAR, 1.0) == (True,) * steps

    @given(CHANGES, THRESHOLDS)
    def test_the_first_and_the_last_always_are(self, changes, threshold):
        found = computed_steps(changes, TEACACHE_14B, threshold)
        assert len(found) == len(changes) + 1
        assert found[0] and found[-1]

    @given(CHANGES)
    def test_changes_that_each_reach_the_threshold_skip_nothing(self, changes):
        assert all(computed_steps([1 + change for change in changes], LINEAR, 0.1))

    @given(CHANGES, THRESHOLDS)
    def test_between_two_computed_steps_less_than_the_threshold_is_skipped(self, changes, threshold):
        found, total = computed_steps(changes, LINEAR, threshold), 0.0
        for change, computed in zip(changes, found[1:-1], strict=False):
            total += LINEAR[0] * change
            assert computed == (total >= threshold)
            total = 0.0 if computed else total

    def test_a_change_beyond_what_the_polynomial_was_fitted_to_is_computed(self):
        beyond, within, none = 0.2, 0.05, 0.0
        assert computed_steps([beyond, 0.0], TEACACHE_14B, 1.0) == (True, True, True)
        assert computed_steps([within, 0.0], TEACACHE_14B, 0.2) == (True, True, True)
        assert computed_steps([none, 0.0], TEACACHE_14B, 0.2) == (True, False, True)

    def test_the_polynomial_is_numpy_s(self):
        assert math.isclose(sum(c * 0.05**p for p, c in enumerate(reversed(TEACACHE_14B))), 0.218948981, rel_tol=1e-6)


class TestStepCache:
    """What is kept between steps."""

    def test_it_knows_its_expert_s_steps_only(self):
        cache = StepCache(first=4, computed=(True, False, True))
        assert [cache.skips(step) for step in range(9)] == [False] * 5 + [True] + [False] * 3

    def test_what_one_pass_added_is_not_added_in_the_other(self):
        cache, x = StepCache(0, (True, False, True)), torch.zeros(2)
        cache.store("one", x, x + 1)
        cache.store("other", x, x + 2)
        assert torch.equal(cache.at(1, "one").apply(x), x + 1)
        assert torch.equal(cache.at(1, "other").apply(x), x + 2)


JOB = make_job(prompt="A man sits comfortably.", negative_prompt="blurry", seed=5, shape=(96, 64, 5))
CACHED = replace(JOB, num_inference_steps=8, speed=Speed(cache=0.25))


class NoPictures:
    """Of jobs without identities."""

    def image(self, job):
        raise AssertionError("nobody is shown")

    def face_models(self):
        raise AssertionError("nobody looks for faces")


def load(golden, model="tiny"):
    return Engine.load(model, "float32", locate(ROWS[model], golden / "weights"), "cpu")


@pytest.fixture(scope="module")
def engine(golden):
    return load(golden)


@pytest.fixture
def blocks_run(engine, monkeypatch):
    """A list that grows by one with each pass through the blocks."""
    run, inner = [], engine._forward._blocks
    monkeypatch.setattr(engine._forward, "_blocks", lambda *given: run.append(1) or inner(*given))
    return run


def generate(engine, job, on_step=lambda step, steps: None):
    return engine.generate(job, NoPictures(), on_step).latents


def test_skipped_steps_run_no_block(engine, blocks_run):
    generate(engine, replace(CACHED, speed=Speed()))
    every = len(blocks_run)
    generate(engine, CACHED)
    assert every == 2 * 8
    assert 2 * 3 <= len(blocks_run) - every < every


def test_the_report_says_how_many_steps_were_skipped(engine, blocks_run):
    clip = engine.generate(CACHED, NoPictures(), lambda step, steps: None)
    assert clip.report == {"skipped_steps": 8 - len(blocks_run) // 2}
    plain = engine.generate(replace(CACHED, speed=Speed()), NoPictures(), lambda step, steps: None)
    assert plain.report == {}


def test_the_video_is_another_but_a_threshold_that_skips_nothing_changes_no_bit(engine):
    plain = generate(engine, replace(CACHED, speed=Speed()))
    assert not torch.equal(generate(engine, CACHED), plain)
    assert torch.equal(generate(engine, replace(CACHED, speed=Speed(cache=0.001))), plain)


def test_nothing_is_left_for_the_next_job(engine, golden):
    alone = generate(load(golden), CACHED)
    generate(engine, replace(CACHED, seed=6, speed=Speed(cache=0.9)))
    assert torch.equal(generate(engine, CACHED), alone)
    plain = replace(CACHED, speed=Speed())
    assert torch.equal(generate(engine, plain), generate(load(golden), plain)), "nor for one without"


def state_of(work):
    """What is saved of it between two steps."""
    return *work.denoising.resumable, json.dumps(work.report)


@pytest.mark.parametrize("model", ["tiny", "tiny-2.2"])
def test_taken_up_at_any_step_it_is_the_same_to_the_bit(golden, model):
    engine = load(golden, model)
    job = replace(CACHED, model=model, cfg_scale=(5.0,) * len(ROWS[model].experts), num_inference_steps=10)
    saved = {}
    work = engine.begin(job, NoPictures())
    for expert in engine.experts:
        engine.denoise(work, expert, lambda step, steps: saved.update({step: state_of(work)}))
    assert any(step != at for at, (step, *_) in saved.items()), "some lie in the midst of skipped steps"
    for step, latents, report in saved.values():
        again = engine.begin(job, NoPictures())
        again.denoising.restore(latents.clone(), step, json.loads(report))
        for expert in engine.experts:
            engine.denoise(again, expert, lambda step, steps: None)
        assert torch.equal(again.denoising.latents, work.denoising.latents)
        assert summed(again.report) == summed(work.report)
    assert summed(work.report)["skipped_steps"] > 0


def test_an_expert_that_is_begun_again_goes_back_to_where_it_can():
    latents = torch.zeros(1), torch.ones(1)
    clip = Denoising(CACHED, None, latents[1], 1.0, {}, None, step=3, held=(1, latents[0]))
    assert clip.resumable == (1, latents[0])
    clip.held = None
    assert clip.resumable == (3, latents[1])
