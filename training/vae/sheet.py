"""A sheet of clips above what the VAE makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

SHOWN = 5
"""Frames of each clip."""


def write_sheet(path: Path, pairs: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> None:
    """Write some frames of clips, each above its counterpart.

    Args:
        path: of the picture.
        pairs: of videos, [1, 3, T, H, W], -1..1.
    """
    Image.fromarray(np.vstack([_row(video) for pair in pairs for video in pair])).save(path)


def _row(video: torch.Tensor) -> np.ndarray:
    at = np.linspace(0, video.shape[2] - 1, SHOWN).round().astype(int)
    frames = ((video[0, :, at].permute(1, 2, 3, 0) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).numpy()
    return np.hstack(list(frames))
