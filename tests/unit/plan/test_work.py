"""How much is computed, against published and counted figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from standin_batch.job import InputFile
from standin_batch.plan.work import forward, identity_flop, job_flop, memory_bytes, passes, sigmas
from standin_batch.weights.registry import ROWS

SIZES = ROWS["wan2.1-t2v-14b"].sizes
TOKENS = 21 * 30 * 52
TERA = 1e12


def near(figure):
    return pytest.approx(figure, rel=0.01)


def test_one_pass_at_14b_is_the_published_work():
    """81 frames of 832 x 480: `anchors.md`."""
    plain = forward(SIZES, TOKENS)
    assert plain.linear / TERA == near(783)
    assert plain.self_attention / TERA == near(879)
    assert plain.total / TERA == near(1678)
    assert forward(SIZES, TOKENS, identity=True).total / TERA == near(1706)
    assert forward(SIZES, TOKENS, identity=True, vace=True).total / TERA == near(2057)


@pytest.mark.parametrize("name", ROWS)
def test_an_identity_has_a_token_for_each_16_x_16_pixels_of_its_subject(name):
    """1,024 at 512 x 512, as the reference has."""
    assert ROWS[name].sizes.identity_tokens == {"demo": 36}.get(name, 1024)


def test_an_identity_is_prepared_at_the_published_work():
    assert identity_flop(SIZES) / TERA == near(21)


@pytest.mark.parametrize(
    ("model", "dit", "vace"),
    [
        ("wan2.1-t2v-14b", 14_288_491_584, 3_049_101_312),
        ("tiny", 550_816, 290_496),
        ("demo", 2_236_448, 444_544),
    ],
)
def test_parameters_are_those_of_the_real_classes(model, dit, vace):
    """Counted with DiffSynth's `WanModel` and `VaceWanModel` on the meta device."""
    sizes = ROWS[model].sizes
    assert (sizes.dit_parameters, sizes.vace_parameters) == (dit, vace)


def test_a_job_is_its_passes_and_its_decoding(job):
    made = job(model="wan2.1-t2v-14b", shape=(832, 480, 81), who="ada", num_inference_steps=20)
    decoding = SIZES.vae_decode_flop * 832 * 480 * 81
    assert job_flop(made) == pytest.approx(40 * forward(SIZES, TOKENS, identity=True).total + decoding)
    assert decoding / TERA == near(275), "counted with torch's flop counter: 275.4"


def test_a_reference_image_is_one_more_latent_frame(job):
    image = {"reference_image": InputFile(Path("i"), "i")}
    alone, referred = (job(mode="vace", shape=(160, 96, 9), files=files) for files in ({}, image))
    longer = job(mode="vace", shape=(160, 96, 13))
    assert job_flop(alone) < job_flop(referred) < job_flop(longer)


@pytest.mark.parametrize(
    ("cfg_scale", "expected"),
    [
        pytest.param((5.0,), 80, id="guidance doubles"),
        pytest.param((1.0,), 40, id="without guidance"),
        pytest.param((4.0, 1.0), 66, id="guidance for high noise alone: 26 of 40 steps"),
        pytest.param((1.0, 3.0), 54, id="guidance for low noise alone: 14 of 40 steps"),
    ],
)
def test_passes_count_guidance_for_each_expert(cfg_scale, expected):
    assert passes(40, cfg_scale, 12.0, 0.875) == expected


def test_the_schedule_begins_at_one_and_leans_to_high_noise():
    assert sigmas(4, 5.0) == pytest.approx([1.0, 0.9375, 0.8333, 0.625], abs=1e-4)


def test_memory_is_weights_in_their_dtype_and_identity(job):
    plain = job(model="wan2.1-t2v-14b", dtype="bfloat16")
    assert memory_bytes(plain) == 2 * (SIZES.dit_parameters + SIZES.vae_parameters)
    with_identity = job(model="wan2.1-t2v-14b", dtype="bfloat16", who="ada")
    adapter = 4 * SIZES.adapter_parameters
    assert memory_bytes(with_identity) - memory_bytes(plain) - adapter == pytest.approx(0.84e9, rel=0.01)
    both = job(model="wan2.2-t2v-a14b", dtype="bfloat16")
    assert memory_bytes(both) > 1.9 * memory_bytes(plain), "both experts stay"
