"""Where the world's chance comes from: a seed and the name of what is decided, so that each is drawn independently."""

from __future__ import annotations

import zlib

import numpy as np


def chance(seed: int, what: str) -> np.random.Generator:
    """Numbers for one decision: the same for the same seed and name, on any machine.

    Args:
        seed: 0 or more.
        what: is decided, such as `motion`.
    """
    return np.random.Generator(np.random.Philox([seed, zlib.crc32(what.encode())]))
