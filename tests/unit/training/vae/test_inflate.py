"""A VAE of pictures, set in motion, does to every frame what it did to a picture."""

from __future__ import annotations

import torch
from diffsynth.models.wan_video_vae import VideoVAE_

from training.vae.inflate import set_in_motion
from training.vae.whole import decode, encode


def test_a_still_clip_is_its_picture_in_every_frame() -> None:
    torch.manual_seed(0)
    vae = VideoVAE_(dim=16, z_dim=16).requires_grad_(False)
    set_in_motion(vae)
    picture = torch.rand(1, 3, 1, 16, 16) * 2 - 1
    alone = decode(vae, encode(vae, picture))
    clip = decode(vae, encode(vae, picture.expand(-1, -1, 9, -1, -1)))
    torch.testing.assert_close(clip, alone.expand_as(clip), atol=1e-4, rtol=1e-3)
