"""Background consistency: what may not change is put back after every step, at the noise of that step.

Source: `force_background_consistency` in `pipelines/wan_video_face_swap.py` of the reference; its mask was mapped to
[-1, 1] before the threshold and read at one frame in four, `standin_batch.face.swap.latent_mask` does it right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from standin_batch.face.swap import latent_mask


@dataclass(frozen=True)
class Background:
    """The video that is kept, and where.

    Attributes:
        changing: 1 where the video may change, [1, 1, T, height / 8, width / 8].
        original: latents of the video without noise, [1, 16, T, height / 8, width / 8].
        noise: that the denoising starts from, of the same shape.
    """

    changing: torch.Tensor
    original: torch.Tensor
    noise: torch.Tensor

    @classmethod
    def of(cls, mask: np.ndarray, original: torch.Tensor, noise: torch.Tensor) -> Background:
        """Keep `original` where `mask`, float [num_frames, height, width] in 0..1, is below one half."""
        changing = torch.from_numpy(latent_mask(mask)).to(dtype=original.dtype, device=original.device)
        return cls(changing[None, None], original, noise)

    def put_back(self, scheduler: Any, latents: torch.Tensor, next_step: int) -> torch.Tensor:  # noqa: ANN401
        """`latents` as they are before step `next_step`, with the original's at the same noise outside the mask."""
        kept = self.original
        if next_step < len(scheduler.timesteps):
            kept = scheduler.add_noise(self.original, self.noise, timestep=scheduler.timesteps[next_step])
        return (1 - self.changing) * kept + self.changing * latents

    def to(self, device: str) -> Background:
        """The same on another device."""
        return Background(self.changing.to(device), self.original.to(device), self.noise.to(device))
