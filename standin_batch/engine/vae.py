"""Wan's video VAE at other widths than the one DiffSynth fixes, and as fast on a CPU as such widths can be."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from diffsynth.models.wan_video_vae import CausalConv3d, RMS_norm, VideoVAE_, WanVideoVAE

SMALLEST_NORM = 1e-12
"""What `torch.nn.functional.normalize` divides by at least."""


class SizedWanVideoVAE(WanVideoVAE):  # type: ignore[misc]
    """`WanVideoVAE` with a chosen width: the same layers, latents of `z_dim` channels.

    Args:
        dim: width of the first level; 96 in Wan2.1.
        z_dim: latent channels; 16 in Wan2.1.
    """

    def __init__(self, dim: int = 96, z_dim: int = 16) -> None:
        super().__init__(z_dim=z_dim)
        self.model = VideoVAE_(dim=dim, z_dim=z_dim).eval().requires_grad_(False)
        for module in self.model.modules():
            if isinstance(module, CausalConv3d):
                module._conv_forward = partial(convolve, plain=module._conv_forward, stride=module.stride)
            elif isinstance(module, RMS_norm) and module.channel_first:
                module.forward = partial(normalise, module)


def convolve(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    *,
    plain: Callable[..., torch.Tensor],
    stride: tuple[int, int, int],
) -> torch.Tensor:
    """A convolution in three dimensions without padding, by oneDNN on a CPU.

    PyTorch takes its own kernel, which is ten times as slow, where batch x channels x frames x height is at most 20,480
    (`use_mkldnn` in `aten/src/ATen/native/Convolution.cpp`): always, in a narrow VAE.
    """
    if x.device.type != "cpu" or x.dtype is not torch.float32 or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return plain(x, weight, bias)
    return torch.mkldnn_convolution(x, weight, bias, (0, 0, 0), stride, (1, 1, 1), 1)


def normalise(norm: RMS_norm, x: torch.Tensor) -> torch.Tensor:
    """`RMS_norm.forward`, without `vector_norm`: on a CPU that is 30 times as slow over channels, which are strided."""
    length = x.square().sum(dim=1, keepdim=True).sqrt().clamp_min(SMALLEST_NORM)
    return x / length * norm.scale * norm.gamma + norm.bias
