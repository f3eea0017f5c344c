"""Our forward against stock DiffSynth's, on random weights: the same but for rounding, whatever was computed before."""

from __future__ import annotations

import pytest
import torch
from diffsynth.models.wan_video_dit import WanModel
from diffsynth.models.wan_video_vace import VaceWanModel
from diffsynth.pipelines.wan_video import model_fn_wan_video

from standin_batch.engine.dit.compiled import compiled_block
from standin_batch.engine.dit.forward import Forward, Vace

DIM, HEADS, BLOCKS, TEXT = 96, 4, 4, 32
ROUNDING = {torch.float32: 1e-6, torch.bfloat16: 1e-2}
"""Relative, of the whole result. In bfloat16 one rounding of each number is 2e-3."""


@pytest.fixture(scope="module")
def dit():
    torch.manual_seed(0)
    model = WanModel(
        **{"dim": DIM, "in_dim": 16, "ffn_dim": 2 * DIM, "out_dim": 16, "text_dim": TEXT, "freq_dim": 64, "eps": 1e-6},
        patch_size=(1, 2, 2),
        num_heads=HEADS,
        num_layers=BLOCKS,
        has_image_input=False,
    )
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def vace():
    torch.manual_seed(1)
    model = VaceWanModel(vace_layers=(0, 2), dim=DIM, num_heads=HEADS, ffn_dim=2 * DIM, eps=1e-6)
    return model.eval().requires_grad_(False)


def inputs(dtype=torch.float32, frames=3):
    generator = torch.Generator().manual_seed(2)

    def draw(*shape):
        return torch.randn(*shape, generator=generator).to(dtype)

    return {"latents": draw(1, 16, frames, 8, 12), "timestep": torch.tensor([500.0], dtype=dtype)}, draw(1, 512, TEXT)


def identity(dtype=torch.float32, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return [tuple(torch.randn(1, 1024, DIM, generator=generator).to(dtype) for _ in range(2)) for _ in range(BLOCKS)]


def off(found, expected):
    return ((found.float() - expected.float()).norm() / expected.float().norm()).item()


@pytest.mark.parametrize("dtype", ROUNDING)
def test_it_is_diffsynths_own_but_for_rounding(dit, dtype):
    cast = dit.to(dtype)
    given, context = inputs(dtype)
    expected = model_fn_wan_video(cast, **given, context=context)
    found = Forward("cpu")(cast, **given, context=context)
    dit.to(torch.float32)
    assert found.dtype == dtype
    assert off(found, expected) < ROUNDING[dtype]


@pytest.mark.parametrize("shorter", [False, True])
def test_vace_is_diffsynths_own_but_for_rounding(dit, vace, shorter):
    """Also where it is shown fewer tokens than the video has."""
    given, context = inputs()
    shown = torch.randn(1, 96, 2 if shorter else 3, 8, 12, generator=torch.Generator().manual_seed(4))
    expected = model_fn_wan_video(dit, vace=vace, **given, context=context, vace_context=shown, vace_scale=0.7)
    found = Forward("cpu")(dit, **given, context=context, vace=Vace(vace, shown, 0.7))
    assert off(found, expected) < ROUNDING[torch.float32]


def test_nothing_is_left_for_the_next_pass(dit, vace):
    """Places and tables are kept; what was in them is not."""
    given, context = inputs()
    longer, _ = inputs(frames=5)
    alone = Forward("cpu")(dit, **given, context=context)
    forward = Forward("cpu")
    shown = torch.randn(1, 96, 5, 8, 12)
    forward(dit, **longer, context=context, identity=identity(), vace=Vace(vace, shown, 1.0))
    assert torch.equal(forward(dit, **given, context=context), alone)


def test_inputs_stay_as_they_were(dit):
    given, context = inputs()
    seen, before = identity(), identity()
    latents = given["latents"].clone()
    Forward("cpu")(dit, **given, context=context, identity=seen)
    assert torch.equal(given["latents"], latents)
    assert all(
        torch.equal(a, b) for one, other in zip(seen, before, strict=True) for a, b in zip(one, other, strict=True)
    )


def test_an_identity_is_seen_in_every_block(dit):
    given, context = inputs()
    forward = Forward("cpu")
    seen = identity()
    results = [forward(dit, **given, context=context, identity=seen)]
    for number in range(BLOCKS):
        changed = [pair if at != number else identity(seed=9)[0] for at, pair in enumerate(seen)]
        results.append(forward(dit, **given, context=context, identity=changed))
    assert all(not torch.equal(a, b) for at, a in enumerate(results) for b in results[:at])


@pytest.mark.slow
def test_compiled_blocks_differ_by_rounding_only(dit, vace, tmp_path):
    given, context = inputs()
    compiled = Forward("cpu", block=compiled_block(tmp_path), writes_apart=False)
    plain, seen = Forward("cpu"), identity()
    shown = Vace(vace, torch.randn(1, 96, 3, 8, 12, generator=torch.Generator().manual_seed(4)), 0.7)
    expected = plain(dit, **given, context=context, identity=seen, vace=shown)
    assert off(compiled(dit, **given, context=context, identity=seen, vace=shown), expected) < ROUNDING[torch.float32]


@pytest.mark.slow
def test_compiled_blocks_compute_the_same_whatever_shapes_came_before(dit, tmp_path):
    given, context = inputs()
    longer, _ = inputs(frames=5)
    compiled = Forward("cpu", block=compiled_block(tmp_path), writes_apart=False)
    alone = compiled(dit, **given, context=context)
    compiled(dit, **longer, context=context)
    assert torch.equal(compiled(dit, **given, context=context), alone)


@pytest.mark.gpu
def test_a_pass_waits_for_nothing_on_a_gpu(dit):
    """The host hands over the next kernels while the device computes."""
    on_gpu = dit.to("cuda")
    given, context = inputs()
    given, context = {key: value.cuda() for key, value in given.items()}, context.cuda()
    forward = Forward("cuda")
    forward(on_gpu, **given, context=context)  # tables and places are made by the first
    torch.cuda.set_sync_debug_mode("error")
    try:
        forward(on_gpu, **given, context=context)
    finally:
        torch.cuda.set_sync_debug_mode("default")
        dit.to("cpu")
