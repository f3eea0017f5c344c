"""Which files a model is made of, with the names and shapes that DiffSynth knows them by; no tensor is made here.

Names and shapes come from DiffSynth's own classes, on the meta device; the adapter's and the LoRA's are counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

from standin_batch.weights.locate import ADAPTERS, TEXT_ENCODERS, VAES
from standin_batch.weights.registry import ROWS, ModelRow
from standin_batch.weights.shapes import Shapes, adapter_shapes

SCALES: Mapping[str, str] = {"14b": "wan2.1-t2v-14b", "tiny": "tiny"}
"""Rows of the table of models by scale: the true sizes, and sizes at which a CPU tries the same steps."""

HASHES: Mapping[str, str] = {
    "wan_video_dit": "aafcfd9672c3a2456dc46e1cb6e52c70",
    "wan_video_text_encoder": "9c8818c2cbea55eca56c7b447df170da",
    "wan_video_vae": "ccc42284ea13e1ad04693284c7a09be6",
}
"""What DiffSynth recognises the published files of the 14B model by: of `diffsynth.configs.MODEL_CONFIGS`."""

SHARDS = 6
"""Of the transformer, as on the hub."""

LORA = "loras/random.safetensors"
LORA_RANK = 32
VAE_PREFIX = "model."
"""DiffSynth's converter puts it before the names of the VAE's file."""


@dataclass(frozen=True)
class Part:
    """One file, or several shards.

    Attributes:
        files: below the folder of the benchmark, with the tensors of each.
        dtype: as safetensors names it.
        model_hash: what DiffSynth recognises it by; empty for what DiffSynth does not look at.
    """

    files: Mapping[str, Shapes]
    dtype: str
    model_hash: str = ""


def row_of(scale: str) -> ModelRow:
    """The row of the table of models at a scale."""
    return ROWS[SCALES[scale]]


def parts(row: ModelRow) -> tuple[Part, ...]:
    """All that `row` is made of, but for the tokenizer and the face models."""
    base, adapter = f"checkpoints/{row.base}", f"checkpoints/{ADAPTERS}/{row.experts[0].adapters[0]}"
    dit, text_encoder, vae = (entry_of(row, name) for name in HASHES)
    return (
        Part(dict(_shards(base, _shapes(dit))), "BF16", dit["model_hash"]),
        Part({f"{base}/{TEXT_ENCODERS[0]}": _shapes(text_encoder)}, "BF16", text_encoder["model_hash"]),
        Part({f"{base}/{VAES[0]}": _unprefixed(_shapes(vae))}, "F32", vae["model_hash"]),
        Part({adapter: adapter_shapes(row.sizes, row.sizes.adapter_rank)}, "F32"),
        Part({LORA: lora_shapes(row)}, "BF16"),
    )


def lora_shapes(row: ModelRow) -> Shapes:
    """A LoRA on every linear layer of every block, in the style that DiffSynth writes."""
    dim, inner = row.sizes.dim, row.sizes.ffn_dim
    layers = {f"{kind}_attn.{part}": (dim, dim) for kind in ("self", "cross") for part in "qkvo"}
    layers |= {"ffn.0": (inner, dim), "ffn.2": (dim, inner)}
    return {
        f"diffusion_model.blocks.{block}.{layer}.lora_{side}.weight": shape
        for block in range(row.sizes.num_layers)
        for layer, (wide, deep) in layers.items()
        for side, shape in (("A", (LORA_RANK, deep)), ("B", (wide, LORA_RANK)))
    }


def is_known(part: Part) -> bool:
    """Whether DiffSynth would know files with the names and shapes of `part`."""
    from diffsynth.core.loader.file import convert_keys_dict_to_single_str

    together = {name: list(shape) for shapes in part.files.values() for name, shape in shapes.items()}
    told: str = convert_keys_dict_to_single_str(together)
    return hashlib.md5(told.encode()).hexdigest() == part.model_hash


def recognised(folder: Path, part: Part) -> bool:
    """Whether DiffSynth knows what lies in the files of `part`, by their headers alone."""
    from diffsynth.core.loader import hash_model_file

    found: str = hash_model_file([str(folder / name) for name in part.files])
    return found == part.model_hash


def entry_of(row: ModelRow, name: str) -> Mapping[str, Any]:
    """What DiffSynth knows of one model of `row`: its hash, its class, and that one's arguments."""
    from diffsynth.configs import MODEL_CONFIGS

    if row.diffsynth:
        return next(entry for entry in row.diffsynth if entry["model_name"] == name)
    known: Mapping[str, Any] = next(entry for entry in MODEL_CONFIGS if entry["model_hash"] == HASHES[name])
    return known


def _shapes(entry: Mapping[str, Any]) -> Shapes:
    import torch

    module, _, name = entry["model_class"].rpartition(".")
    with torch.device("meta"):
        model = getattr(import_module(module), name)(**entry.get("extra_kwargs", {}))
    return {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}


def _unprefixed(shapes: Shapes) -> Shapes:
    return {name.removeprefix(VAE_PREFIX): shape for name, shape in shapes.items()}


def _shards(base: str, shapes: Shapes) -> Iterator[tuple[str, Shapes]]:
    """Files of about the same size, filled in order and named as the hub's are."""
    share, done, found = (
        sum(map(prod, shapes.values())) / SHARDS,
        0,
        [dict[str, tuple[int, ...]]() for _ in range(SHARDS)],
    )
    for name, shape in shapes.items():
        found[min(SHARDS - 1, int(done / share))][name] = shape
        done += prod(shape)
    for number, shard in enumerate(found, start=1):
        yield f"{base}/diffusion_pytorch_model-{number:05d}-of-{SHARDS:05d}.safetensors", shard
