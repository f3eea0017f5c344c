"""Wan's video VAE on whole clips at once, for training: what `VideoVAE_` computes chunk by chunk, in one piece.

`VideoVAE_.encode` and `decode` go through a clip in chunks of four frames and carry what convolutions need from one to
the next: little memory, but little work at a time as well. Here each layer sees all frames, so that a training step is
a few large operations; in bfloat16 with the channels last, which is what matrix units of CPUs and GPUs take. That both
compute the same is a test (`tests/unit/training/vae/test_whole.py`).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from diffsynth.models.wan_video_vae import AttentionBlock, CausalConv3d, Resample, ResidualBlock, VideoVAE_
from torch import nn

from training.vae.fused import norm, norm_silu


def encode(vae: VideoVAE_, video: torch.Tensor) -> torch.Tensor:
    """Latents before they are scaled.

    Args:
        vae: whose parameters are used, cast to the dtype of `video`.
        video: [B, 3, 4t + 1, H, W], -1..1.

    Returns:
        [B, z_dim, t + 1, H / 8, W / 8].
    """
    x = _conv(vae.encoder.conv1, video)
    for layer in (*vae.encoder.downsamples, *vae.encoder.middle):
        x = _block(layer, x)
    latents, _ = _conv(vae.conv1, _norm_silu_conv(*_normed(vae.encoder.head), x)).chunk(2, dim=1)
    return latents


def decode(vae: VideoVAE_, latents: torch.Tensor) -> torch.Tensor:
    """The inverse of `encode`: [B, z_dim, t + 1, h, w] to [B, 3, 4t + 1, 8h, 8w]."""
    x = _conv(vae.decoder.conv1, _conv(vae.conv2, latents))
    for layer in (*vae.decoder.middle, *vae.decoder.upsamples):
        x = _block(layer, x)
    return _norm_silu_conv(*_normed(vae.decoder.head), x)


def _block(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    match layer:
        case ResidualBlock():
            first, second = layer.residual[:3], layer.residual[3:]
            shortcut = x if isinstance(layer.shortcut, nn.Identity) else _conv(layer.shortcut, x)
            return _norm_silu_conv(*_normed(second), _norm_silu_conv(*_normed(first), x)) + shortcut
        case Resample():
            return _resample(layer, x)
        case AttentionBlock():
            return _attention(layer, x)
        case _:
            raise TypeError(f"there is no such layer in Wan's VAE: {type(layer).__name__}")


def _normed(layers: Any) -> tuple[torch.Tensor, CausalConv3d]:  # noqa: ANN401
    """The norm's scales and the convolution of `layers`, which have a SiLU between."""
    return layers[0].gamma, layers[-1]


def _norm_silu_conv(gamma: torch.Tensor, conv: CausalConv3d, x: torch.Tensor) -> torch.Tensor:
    alone = x.shape[2] == 1
    return _valid_conv(conv, norm_silu(x, gamma, 0 if alone else conv._padding[4]), alone)


def _conv(conv: CausalConv3d, x: torch.Tensor) -> torch.Tensor:
    """A convolution that sees no later frame: zeros stand before the first one."""
    before = conv._padding[4]
    alone = x.shape[2] == 1 and before > 0
    return _valid_conv(conv, F.pad(x, (0, 0, 0, 0, before, 0)) if before and not alone else x, alone)


def _valid_conv(conv: CausalConv3d, x: torch.Tensor, alone: bool) -> torch.Tensor:
    """A convolution of `x` behind its zeros; a frame that is `alone` comes without, and sees the last of the kernel."""
    weight, bias = _cast(conv, x)
    padding = conv._padding[2], conv._padding[0]
    if alone:
        return F.conv2d(x[:, :, 0], weight[:, :, -1], bias, padding=padding).unsqueeze(2)
    return F.conv3d(x, weight, bias, conv.stride, (0, *padding))


def _attention(block: AttentionBlock, x: torch.Tensor) -> torch.Tensor:
    batch, channels, frames, height, width = x.shape
    y = norm(x, block.norm.gamma).permute(0, 2, 3, 4, 1).reshape(batch * frames, height * width, channels)
    q, k, v = _pointwise(block.to_qkv, y).chunk(3, -1)
    y = F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None])[:, 0]
    y = _pointwise(block.proj, y)
    return x + y.reshape(batch, frames, height, width, channels).permute(0, 4, 1, 2, 3)


def _pointwise(conv: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    """A convolution with a kernel of one pixel, the channels last."""
    weight, bias = _cast(conv, x)
    return F.linear(x, weight.flatten(1), bias)


def _resample(layer: Resample, x: torch.Tensor) -> torch.Tensor:
    if layer.mode == "upsample3d" and x.shape[2] > 1:
        x = torch.cat((x[:, :, :1], _two_for_one(layer.time_conv, x[:, :, 1:])), dim=2)
    x = _each_frame(layer, x)
    if layer.mode == "downsample3d" and x.shape[2] > 1:
        weight, bias = _cast(layer.time_conv, x)
        x = torch.cat((x[:, :, :1], F.conv3d(x, weight, bias, (2, 1, 1))), dim=2)
    return x


def _two_for_one(conv: CausalConv3d, x: torch.Tensor) -> torch.Tensor:
    """Twice as many frames: the first half of the channels and the second, by turns."""
    first, second = _conv(conv, x).chunk(2, dim=1)
    return torch.stack((first, second), dim=3).flatten(2, 3)


def _each_frame(layer: Resample, x: torch.Tensor) -> torch.Tensor:
    frames = x.shape[2]
    x = x.transpose(1, 2).flatten(0, 1)
    conv = layer.resample[1]
    weight, bias = _cast(conv, x)
    if layer.mode.startswith("upsample"):
        x = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), weight, bias, padding=1)
    else:
        x = F.conv2d(F.pad(x, (0, 1, 0, 1)), weight, bias, 2)
    return x.view(-1, frames, *x.shape[1:]).transpose(1, 2)


def _cast(layer: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: ANN401
    return layer.weight.to(x.dtype), layer.bias.to(x.dtype)
