"""From pictures to clips: what the VAE does to a picture, it does to each frame at first."""

from __future__ import annotations

import torch
from diffsynth.models.wan_video_vae import CausalConv3d, Resample, VideoVAE_


@torch.no_grad()
def set_in_motion(vae: VideoVAE_) -> None:
    """Give the parts of kernels that look at earlier frames, which pictures do not train, a start that changes nothing.

    Convolutions look at the present frame alone (I3D, arXiv 1705.07750, in its causal form); what halves the number of
    frames takes their mean, and what doubles it repeats each.
    """
    for module in vae.modules():
        if isinstance(module, CausalConv3d) and module.weight.shape[2] > 1:
            module.weight[:, :, :-1] = 0
    for module in vae.modules():
        if isinstance(module, Resample) and module.mode in ("downsample3d", "upsample3d"):
            _keep(module.time_conv)


def _keep(conv: CausalConv3d) -> None:
    outputs, inputs, frames = conv.weight.shape[:3]
    same = torch.eye(inputs).repeat(outputs // inputs, 1)
    conv.weight.zero_()
    conv.bias.zero_()
    if outputs > inputs:
        conv.weight[:, :, -1, 0, 0] = same
    else:
        conv.weight[:, :, :, 0, 0] = same[..., None] / frames
