"""A sheet of clips: a row of frames for each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from training.clips import Clips

SHOWN = 7
"""Frames of each clip."""
COLUMNS = 2
"""Clips side by side."""


def write_strips(path: Path, clips: Clips) -> None:
    """Write some frames of every clip, uint8 [N, T, H, W, 3]."""
    at = np.linspace(0, clips.shape[1] - 1, SHOWN).round().astype(int)
    strips = [np.hstack(list(clip[at])) for clip in clips]
    strips += [np.zeros_like(strips[0])] * (-len(strips) % COLUMNS)
    rows = [np.hstack(strips[i : i + COLUMNS]) for i in range(0, len(strips), COLUMNS)]
    Image.fromarray(np.vstack(rows)).save(path)
