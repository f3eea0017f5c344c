"""What the transformer learns from: the latents of drawn scenes, made once by the VAE that was trained."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffsynth.models.wan_video_vae import VideoVAE_

from standin_batch.files import replace_atomic
from standin_batch.weights.locate import VAES
from training.clips import Clips, world
from training.vae.batches import as_video
from training.vae.rescale import scales
from training.vae.whole import decode as decode_whole
from training.vae.whole import encode as encode_whole
from training.weights import ROW

AT_ONCE = 4


@dataclass(frozen=True)
class Vae:
    """The trained VAE, between pixels and the scaled latents that the transformer sees.

    Attributes:
        model: its weights.
        key: digest of them.
    """

    model: VideoVAE_
    key: str

    @torch.no_grad()
    def encode(self, clips: Clips) -> torch.Tensor:
        """uint8 [N, T, H, W, 3] to bfloat16 [N, 16, t, h, w]."""
        batches = (as_video(np.asarray(clips[i : i + AT_ONCE])) for i in range(0, len(clips), AT_ONCE))
        return torch.cat([self.encode_video(batch) for batch in batches])

    @torch.no_grad()
    def encode_video(self, video: torch.Tensor) -> torch.Tensor:
        """[N, 3, T, H, W], -1..1, to bfloat16 [N, 16, t, h, w]."""
        mean, scale = scales()
        found = encode_whole(self.model, video.bfloat16()).float()
        return ((found - mean) * scale).bfloat16()

    @torch.no_grad()
    def decode(self, latents: torch.Tensor) -> Clips:
        """[N, 16, t, h, w] to uint8 [N, T, H, W, 3]."""
        mean, scale = scales()
        latents = latents.float() / scale + mean
        video = torch.cat([decode_whole(self.model, each[None].bfloat16()).float() for each in latents])
        pixels: Clips = ((video + 1) * 127.5).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 4, 1).numpy()
        return pixels


def load_vae(root: Path) -> Vae:
    """The VAE as it was written below `root`, in bfloat16's precision."""
    path = root / ROW.base / VAES[-1]
    model = VideoVAE_(dim=16, z_dim=16)
    model.load_state_dict(torch.load(path, weights_only=True))
    return Vae(model.float().requires_grad_(False), hashlib.sha256(path.read_bytes()).hexdigest()[:12])


def latents_of(folder: Path, name: str, vae: Vae, clips: Clips) -> torch.Tensor:
    """The latents of `clips`, [N, 16, t, h, w], read from `folder` or written into it.

    Args:
        folder: for all stages.
        name: of the clips.
        vae: that encodes them.
        clips: uint8 [N, T, H, W, 3].
    """
    path = folder / f"{name}-{len(clips)}-{world()[:12]}-{vae.key}.pt"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with replace_atomic(path) as temporary:
            torch.save(vae.encode(clips), temporary)
    found: torch.Tensor = torch.load(path, weights_only=True)
    return found
