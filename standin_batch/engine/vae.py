"""Wan's video VAE at other widths than the one DiffSynth fixes."""

from __future__ import annotations

from diffsynth.models.wan_video_vae import VideoVAE_, WanVideoVAE


class SizedWanVideoVAE(WanVideoVAE):  # type: ignore[misc]
    """`WanVideoVAE` with a chosen width: the same layers, latents of `z_dim` channels.

    Args:
        dim: width of the first level; 96 in Wan2.1.
        z_dim: latent channels; 16 in Wan2.1.
    """

    def __init__(self, dim: int = 96, z_dim: int = 16) -> None:
        super().__init__(z_dim=z_dim)
        self.model = VideoVAE_(dim=dim, z_dim=z_dim).eval().requires_grad_(False)
