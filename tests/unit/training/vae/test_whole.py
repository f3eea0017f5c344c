"""The VAE on whole clips is DiffSynth's, which goes through them chunk by chunk."""

from __future__ import annotations

import pytest
import torch
from diffsynth.models.wan_video_vae import VideoVAE_

from training.vae.whole import decode, encode

AS_IT_IS = [torch.zeros(16), torch.ones(16)]


@pytest.fixture(scope="module")
def vae() -> VideoVAE_:
    torch.manual_seed(0)
    return VideoVAE_(dim=16, z_dim=16).eval().requires_grad_(False)


@pytest.mark.parametrize("frames", [1, 5, 13])
def test_encodes_as_diffsynth_does(vae: VideoVAE_, frames: int) -> None:
    video = torch.rand(2, 3, frames, 16, 24) * 2 - 1
    torch.testing.assert_close(encode(vae, video), vae.encode(video, AS_IT_IS), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("latent_frames", [1, 2, 4])
def test_decodes_as_diffsynth_does(vae: VideoVAE_, latent_frames: int) -> None:
    latents = torch.randn(2, 16, latent_frames, 2, 3)
    torch.testing.assert_close(decode(vae, latents), vae.decode(latents, AS_IT_IS), atol=1e-5, rtol=1e-5)


@pytest.mark.slow  # kernels are compiled on first use
def test_in_bfloat16_it_is_the_same_to_its_precision(vae: VideoVAE_) -> None:
    video = torch.rand(1, 3, 5, 16, 16) * 2 - 1
    exact = encode(vae, video)
    assert float((encode(vae, video.bfloat16()).float() - exact).std() / exact.std()) < 0.05
