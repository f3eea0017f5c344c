"""Latents on Wan's scale: its constants for the mean and deviation of each channel hold for this VAE, too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from diffsynth.models.wan_video_vae import VideoVAE_, WanVideoVAE

from training.clips import Clips
from training.vae.batches import as_video
from training.vae.whole import encode


@torch.no_grad()
def rescale(vae: VideoVAE_, clips: Sequence[Clips]) -> None:
    """Give the latents of `vae` Wan's mean and deviation in each channel.

    The last convolution of the encoder and the first of the decoder take it up; what the two make together stays.

    Args:
        vae: changed in place.
        clips: to measure with, uint8 [N, T, H, W, 3] each.
    """
    mean, scale = (each.flatten() for each in scales())
    channels = len(mean)
    found = torch.cat([encode(vae, as_video(each)).float().transpose(0, 1).flatten(1) for each in clips], dim=1)
    factor = 1 / scale / found.std(dim=1)
    shift = mean - found.mean(dim=1) * factor
    vae.conv1.weight[:channels] *= factor.view(-1, 1, 1, 1, 1)
    vae.conv1.bias[:channels] = vae.conv1.bias[:channels] * factor + shift
    vae.conv2.bias -= vae.conv2.weight.flatten(1) @ (shift / factor)
    vae.conv2.weight /= factor.view(1, -1, 1, 1, 1)


@cache
def scales() -> tuple[torch.Tensor, torch.Tensor]:
    """Wan's mean of each latent channel, and one over its deviation: [1, 16, 1, 1, 1] each."""
    mean, scale = WanVideoVAE().scale
    return mean.view(1, -1, 1, 1, 1), scale.view(1, -1, 1, 1, 1)
