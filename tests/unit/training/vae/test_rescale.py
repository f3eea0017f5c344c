"""Latents on Wan's scale, and the same pictures as before."""

from __future__ import annotations

import numpy as np
import torch
from diffsynth.models.wan_video_vae import VideoVAE_

from training.vae.batches import as_video
from training.vae.rescale import rescale, scales
from training.vae.whole import decode, encode


def test_channels_get_wans_mean_and_deviation_and_pictures_stay() -> None:
    torch.manual_seed(0)
    vae = VideoVAE_(dim=16, z_dim=16).requires_grad_(False)
    clips = np.random.default_rng(0).integers(0, 256, (4, 5, 32, 32, 3), dtype=np.uint8)
    video = as_video(clips).float()
    before = decode(vae, encode(vae, video))

    rescale(vae, [clips])

    torch.testing.assert_close(decode(vae, encode(vae, video)), before, atol=1e-4, rtol=1e-3)
    latents, (mean, scale) = encode(vae, video).transpose(0, 1).flatten(1), (each.flatten() for each in scales())
    torch.testing.assert_close(latents.mean(dim=1), mean, atol=0.1, rtol=0.1)
    torch.testing.assert_close(latents.std(dim=1), 1 / scale, atol=0.1, rtol=0.1)
