"""The small golden weights as their makers would publish them: float32 shards, and pickles of torch."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from standin_batch.weights.header import read_header


def float32_copy(weights: Path, root: Path, rough: bool = False) -> Path:
    """Copy `weights` to `root` with every shard cast up to float32; `rough` values do not fit into bfloat16."""
    for path in sorted(weights.rglob("*")):
        target = root / path.relative_to(weights)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        elif path.suffix == ".safetensors":
            save_file(widened(path, rough), target, {"format": "pt"})
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    for path in weights.rglob("*"):
        if path.is_symlink() and path.is_dir():
            shutil.copytree(path, root / path.relative_to(weights), dirs_exist_ok=True)
    return root


def widened(path: Path, rough: bool = False) -> dict[str, np.ndarray]:
    """The bfloat16 tensors of `path` in float32, with digits behind them if `rough`."""
    content, tensors = path.read_bytes(), {}
    for name, info in read_header(path).tensors.items():
        bits = np.frombuffer(content[info.start : info.end], np.uint16).astype(np.uint32) << 16
        bits |= np.uint32(0x5A5A if rough else 0)
        tensors[name] = bits.view(np.float32).reshape(info.shape)
    return tensors
