"""The expected peak of memory, against a count of what is alive in the real modules at their true sizes.

Tensors have no content, so nothing is computed and nothing takes room. What kernels take within themselves is not seen.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from live import Live, fake

from standin_batch.engine.dit.forward import Forward, Vace
from standin_batch.engine.step_cache import StepCache
from standin_batch.plan import peak
from standin_batch.plan.peak import Extent
from standin_batch.plan.work import TEXT_TOKENS
from standin_batch.weights.registry import ROWS

pytestmark = pytest.mark.slow

NEAR = 0.03

ROW = ROWS["wan2.1-t2v-14b"]
USUAL = Extent.usual(ROW)
LAYERS = 3
"""Of the blocks, which are alike: one after the other takes no more."""


@pytest.fixture(autouse=True)
def in_bfloat16():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    with fake(), torch.no_grad():
        yield
    torch.set_default_dtype(before)


def transformer():
    from diffsynth.models.wan_video_dit import WanModel

    sizes = ROW.sizes
    return WanModel(
        dim=sizes.dim,
        in_dim=16,
        ffn_dim=sizes.ffn_dim,
        out_dim=16,
        text_dim=sizes.text_dim,
        freq_dim=sizes.freq_dim,
        eps=1e-6,
        patch_size=[1, 2, 2],
        num_heads=sizes.num_heads,
        num_layers=LAYERS,
        has_image_input=False,
    )


def vace(extent):
    from diffsynth.models.wan_video_vace import VaceWanModel

    sizes = ROW.sizes
    model = VaceWanModel(
        vace_layers=(0, 1),
        vace_in_dim=96,
        patch_size=(1, 2, 2),
        has_image_input=False,
        dim=sizes.dim,
        num_heads=sizes.num_heads,
        ffn_dim=sizes.ffn_dim,
        eps=1e-6,
    )
    return Vace(model, torch.empty(latents(extent, 96)), 1.0)


def latents(extent, channels=16):
    rows, columns = extent.height // 8, extent.width // 8
    return 1, channels, extent.tokens // (rows * columns // 4), rows, columns


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"identity": False},
        {"width": 1280, "height": 720},
        {"vace": True},
        {"vace": True, "reference": True},
        {"cached_passes": 1},
        {"cached_passes": 2},
    ],
    ids=str,
)
def test_a_pass_takes_as_much_as_is_expected(other):
    extent = replace(USUAL, **other)
    sizes = ROW.sizes
    pair = (torch.empty(1, sizes.identity_tokens, sizes.dim),) * 2
    dit, beside = transformer(), vace(extent) if extent.vace else None
    start, context = torch.empty(latents(extent)), torch.empty(1, TEXT_TOKENS, sizes.text_dim)
    kv, forward, at, cache = (pair,) * LAYERS if extent.identity else None, Forward("cpu"), torch.empty(1), None
    if extent.cached_passes:
        cache = StepCache(0, (True, True))
    with Live() as live:
        for step in range(2):
            for which in map(str, range(max(1, extent.cached_passes))):
                forward(dit, start, at, context, kv, beside, None if cache is None else cache.at(step, which))
    expected = peak._room(extent) + peak._denoising(extent) + peak._cached(extent)
    assert expected == pytest.approx(live.peak, rel=NEAR)


@pytest.mark.parametrize("other", [{}, {"num_frames": 33}, {"width": 480, "height": 832}], ids=str)
def test_decoding_takes_as_much_as_is_expected(other):
    from diffsynth.models.wan_video_vae import WanVideoVAE

    extent, vae = replace(USUAL, **other), WanVideoVAE()
    with Live() as live:
        vae.model.decode(torch.empty(latents(extent)), [each.bfloat16() for each in vae.scale])
    assert peak._decoding(extent) == pytest.approx(live.peak, rel=NEAR)


def test_encoding_a_prompt_takes_as_much_as_is_expected():
    from diffsynth.models.wan_video_text_encoder import WanTextEncoder

    encoder = WanTextEncoder()
    assert sum(each.numel() for each in encoder.parameters()) == ROW.sizes.text_encoder_parameters
    ids = torch.zeros(1, TEXT_TOKENS, dtype=torch.long)
    with Live() as live:
        encoder(ids, torch.ones_like(ids))
    expected = 2 * peak.TEXT_ENCODER_LIVE * TEXT_TOKENS * ROW.sizes.text_dim
    assert expected == pytest.approx(live.peak, rel=NEAR)
