"""The tiny model: random weights from a seed, in the real file formats, at a size that a CPU runs in seconds.

Only sizes differ from the 14B rows. The files are made once, on first use, and loaded by the code that loads the real
ones. A tensor's values depend on its name alone, so adding a file changes no other.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from standin_batch.files import TEMPORARY_PREFIX, write_atomic
from standin_batch.weights.locate import ADAPTERS, TOKENIZER
from standin_batch.weights.registry import ROWS, TINY_DIT, TINY_T5, TINY_VACE, TINY_VAE, WAN21_ADAPTERS
from standin_batch.weights.tiny_faces import write_face_models
from standin_batch.weights.tiny_tokenizer import write_tokenizer

if TYPE_CHECKING:
    import torch

SEED = 0
STAMP = "made-here.json"
ADAPTER_RANK = 128
SHARDS_WAN21 = 3
SHARDS_EXPERT = 2
LAYOUT = 3
"""Raised when files are added, or made to compute the same otherwise: what is seen stays, so the ids of jobs do too."""


def ensure_tiny(root: Path) -> bool:
    """Make the tiny model in `root` unless it is there; returns whether it was made.

    The folder appears whole or not at all; one made by an older generator is replaced.
    """
    if is_current(root):
        return False
    root.parent.mkdir(parents=True, exist_ok=True)
    building = root.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}-{root.name}")
    shutil.rmtree(building, ignore_errors=True)
    try:
        _write_all(building)
        if is_current(root):  # another process was quicker, and may be reading it
            return False
        if root.exists():
            shutil.rmtree(root)
        building.rename(root)
    except OSError:
        # Another process may have been quicker; what counts is that the folder is whole.
        if not is_current(root):
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return True


def _stamp() -> dict[str, Any]:
    return {"generator": ROWS["tiny"].generator, "seed": SEED, "layout": LAYOUT}


def is_current(root: Path) -> bool:
    """Whether the files in `root` are what this version makes."""
    try:
        return bool(json.loads((root / STAMP).read_text()) == _stamp())
    except (OSError, ValueError):
        return False


def _write_all(root: Path) -> None:
    dit, text_encoder, vae = _dit_shapes(), _text_encoder_shapes(), _vae_shapes()
    wan21, wan22 = root / ROWS["tiny"].base, root / ROWS["tiny-2.2"].base
    vace = root / ROWS["tiny"].modules["vace"].source.folder
    _write_shards(wan21, _tensors("dit", dit), SHARDS_WAN21)
    _write_shards(vace, {**_tensors("dit", dit), **_tensors("vace", _vace_shapes())}, SHARDS_WAN21)
    for expert in ROWS["tiny-2.2"].experts:
        folder = wan22 / Path(expert.shards).parent
        _write_shards(folder, _tensors(expert.name, dit), SHARDS_EXPERT)
        _write_pickle(root / ADAPTERS / expert.adapters[0], {"state_dict": _tensors(expert.name, _adapter_shapes())})
    _write_pickle(root / ADAPTERS / WAN21_ADAPTERS[0], {"state_dict": _tensors("base", _adapter_shapes())})
    for base in (wan21, vace, wan22):
        _write_pickle(base / "models_t5_umt5-xxl-enc-bf16.pth", _tensors("t5", text_encoder))
        _write_pickle(base / "Wan2.1_VAE.pth", _tensors("vae", vae))
        write_tokenizer(base / TOKENIZER)
    write_face_models(root)
    write_atomic(root / STAMP, json.dumps(_stamp()))


def _dit_shapes() -> dict[str, tuple[int, ...]]:
    import torch
    from diffsynth.models.wan_video_dit import WanModel

    with torch.device("meta"):
        return _shapes(WanModel(**TINY_DIT))


def _vace_shapes() -> dict[str, tuple[int, ...]]:
    import torch
    from diffsynth.models.wan_video_vace import VaceWanModel

    with torch.device("meta"):
        return _shapes(VaceWanModel(**TINY_VACE))


def _text_encoder_shapes() -> dict[str, tuple[int, ...]]:
    import torch
    from diffsynth.models.wan_video_text_encoder import WanTextEncoder

    with torch.device("meta"):
        return _shapes(WanTextEncoder(**TINY_T5))


def _vae_shapes() -> dict[str, tuple[int, ...]]:
    import torch
    from diffsynth.models.wan_video_vae import VideoVAE_

    with torch.device("meta"):
        return _shapes(VideoVAE_(**TINY_VAE))


def _adapter_shapes() -> dict[str, tuple[int, ...]]:
    dim = TINY_DIT["dim"]
    sizes = {"down": (ADAPTER_RANK, dim), "up": (dim, ADAPTER_RANK)}
    return {
        f"blocks.{block}.self_attn.{part}_loras.{side}.weight": sizes[side]
        for block in range(TINY_DIT["num_layers"])
        for part in "qkv"
        for side in ("down", "up")
    }


def _shapes(module: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def _tensors(label: str, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """A tensor for each name, in bfloat16."""
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


def _write_shards(folder: Path, tensors: Mapping[str, torch.Tensor], count: int) -> None:
    """Write safetensors shards, named and filled in order as the hub's are."""
    from safetensors.torch import save

    names = sorted(tensors)
    size = -(-len(names) // count)
    for index, chunk in enumerate(_chunks(names, size), start=1):
        path = folder / f"diffusion_pytorch_model-{index:05d}-of-{count:05d}.safetensors"
        write_atomic(path, save({name: tensors[name] for name in chunk}, metadata={"format": "pt"}))


def _chunks(names: list[str], size: int) -> Iterable[list[str]]:
    return (names[start : start + size] for start in range(0, len(names), size))


def _write_pickle(path: Path, content: object) -> None:
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)
