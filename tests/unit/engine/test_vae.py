"""A VAE of another width computes what DiffSynth's layers compute, whichever kernels do it."""

from __future__ import annotations

import pytest
import torch
from diffsynth.models.wan_video_vae import CausalConv3d, RMS_norm, VideoVAE_

from standin_batch.engine.vae import SizedWanVideoVAE


@pytest.fixture(scope="module")
def vaes():
    """DiffSynth's own layers at width 8, and ours with the same weights."""
    torch.manual_seed(0)
    plain = VideoVAE_(dim=8, z_dim=16).eval().requires_grad_(False)
    ours = SizedWanVideoVAE(dim=8)
    ours.model.load_state_dict(plain.state_dict())
    return plain, ours


def test_every_convolution_and_norm_has_the_fast_way(vaes):
    _, ours = vaes
    slow = [
        name
        for name, module in ours.model.named_modules()
        if (isinstance(module, CausalConv3d) and "_conv_forward" not in vars(module))
        or (isinstance(module, RMS_norm) and "forward" not in vars(module))
    ]
    assert slow == []


def test_encoding_differs_by_rounding_only(vaes):
    plain, ours = vaes
    video = torch.rand(1, 3, 5, 48, 64) * 2 - 1
    scale = [each.clone() for each in ours.scale]
    expected, found = plain.encode(video, scale), ours.model.encode(video, scale)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_decoding_differs_by_rounding_only(vaes):
    plain, ours = vaes
    latents = torch.randn(1, 16, 2, 6, 8)
    scale = [each.clone() for each in ours.scale]
    torch.testing.assert_close(ours.model.decode(latents, scale), plain.decode(latents, scale), rtol=1e-4, atol=1e-4)
