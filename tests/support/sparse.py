"""Weight files of the real sizes that take no room: real headers, and holes for data."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from math import prod
from pathlib import Path

import torch

from standin_batch.weights.registry import ModelRow
from standin_batch.weights.shapes import adapter_shapes, dit_shapes, vace_shapes

WIDTHS = {"F32": 4, "BF16": 2}
Shapes = Mapping[str, tuple[int, ...]]


def sparse_file(path: Path, shapes: Shapes, dtype: str = "F32") -> Path:
    """A safetensors file with these tensors, all zeros."""
    entries, offset = {}, 0
    for name, shape in shapes.items():
        end = offset + WIDTHS[dtype] * prod(shape)
        entries[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    header = json.dumps(entries).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    os.truncate(path, 8 + len(header) + offset)
    return path


def sparse_shards(folder: Path, shapes: Shapes, count: int, dtype: str = "F32") -> tuple[Path, ...]:
    """The same in shards, named and filled in order as the hub's are."""
    names = list(shapes)
    size = -(-len(names) // count)
    return tuple(
        sparse_file(
            folder / f"diffusion_pytorch_model-{number:05d}-of-{count:05d}.safetensors",
            {name: shapes[name] for name in names[(number - 1) * size : number * size]},
            dtype,
        )
        for number in range(1, count + 1)
    )


def sparse_pickle(path: Path, shapes: Shapes) -> Path:
    """A file of `torch.save` whose tensors each take one number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({name: torch.zeros((), dtype=torch.bfloat16).expand(shape) for name, shape in shapes.items()}, path)
    return path


def text_encoder_shapes(vocabulary: int = 256_384, dim: int = 4096, dim_ffn: int = 10_240, layers: int = 24) -> Shapes:
    """umT5-XXL's encoder as Wan publishes it (`WanTextEncoder` of DiffSynth)."""
    shapes: dict[str, tuple[int, ...]] = {"token_embedding.weight": (vocabulary, dim), "norm.weight": (dim,)}
    for block in range(layers):
        at = f"blocks.{block}"
        shapes |= {f"{at}.attn.{part}.weight": (dim, dim) for part in "qkvo"}
        shapes |= {f"{at}.norm1.weight": (dim,), f"{at}.norm2.weight": (dim,)}
        shapes |= {f"{at}.ffn.gate.0.weight": (dim_ffn, dim), f"{at}.ffn.fc1.weight": (dim_ffn, dim)}
        shapes |= {f"{at}.ffn.fc2.weight": (dim, dim_ffn), f"{at}.pos_embedding.embedding.weight": (32, 64)}
    return shapes


def sparse_model(root: Path, row: ModelRow) -> Path:
    """All files of a 14B row but its face models: a VAE of the right count of numbers stands for the VAE."""
    base = root / row.base
    for expert in row.experts:
        sparse_shards(base / Path(expert.shards).parent, dit_shapes(row.sizes), 6)
        sparse_pickle(root / "Stand-In" / expert.adapters[0], adapter_shapes(row.sizes, row.sizes.adapter_rank))
    for module in row.modules.values():
        both = {**dit_shapes(row.sizes), **vace_shapes(row.sizes)}
        sparse_shards(root / module.source.folder, both, 7)
    sparse_pickle(base / "models_t5_umt5-xxl-enc-bf16.pth", text_encoder_shapes())
    decoder = (384, 16, 3, 3, 3)
    rest = (row.sizes.vae_parameters - prod(decoder),)
    sparse_pickle(base / "Wan2.1_VAE.pth", {"decoder.conv1.weight": decoder, "all.the.rest": rest})
    tokenizer = base / "google" / "umt5-xxl"
    tokenizer.mkdir(parents=True)
    (tokenizer / "tokenizer.json").write_text('{"version": "1.0"}')
    return root
