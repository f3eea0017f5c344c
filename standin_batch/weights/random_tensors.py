"""Tensors of random weights: the values of each depend on its name and the seed alone."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

    from standin_batch.weights.shapes import Shapes

SEED = 0


def random_tensors(label: str, shapes: Shapes) -> dict[str, torch.Tensor]:
    """A tensor for each name, in bfloat16.

    Args:
        label: of what they are part of; goes into their values.
        shapes: by name.
    """
    import torch

    return {
        name: torch.from_numpy(_values(f"{label}/{name}", shape)).to(torch.bfloat16) for name, shape in shapes.items()
    }


def _values(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Ones for the scales of norms, small numbers for biases, and numbers that keep the variance for the rest."""
    if name.endswith(("gamma", "norm.weight")) or (name.endswith(".weight") and len(shape) == 1):
        return np.ones(shape, dtype=np.float32)
    key = hashlib.sha256(f"{SEED}/{name}".encode()).digest()
    normal = np.random.Generator(np.random.Philox(key=int.from_bytes(key[:16], "little"))).standard_normal(
        shape, dtype=np.float32
    )
    if len(shape) == 1:
        return normal * np.float32(0.02)
    fan_in = int(np.prod(shape[1:]))
    return normal / np.float32(np.sqrt(fan_in))
