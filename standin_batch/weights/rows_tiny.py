"""The rows of the tiny model, whose weights `tiny` makes: on what tests run."""

from __future__ import annotations

from typing import Any

from standin_batch.weights.diffsynth_entries import (
    Entry,
    dit_beside_vace_entry,
    dit_entry,
    text_encoder_entry,
    vace_entry,
    vae_entry,
)
from standin_batch.weights.model_row import ModelRow
from standin_batch.weights.parts import Parts
from standin_batch.weights.rows_14b import SHARED_DEFAULTS, WAN21_EXPERTS, WAN21_MODULES, WAN22_EXPERTS

TEACACHE_TINY = (0.1, 0.0)
"""Random weights have nothing to fit: their modulation changes about wholly in each step, which counts as a tenth."""

TINY_DIT: dict[str, Any] = {
    "dim": 96,
    "in_dim": 16,
    "ffn_dim": 192,
    "out_dim": 16,
    "text_dim": 64,
    "freq_dim": 64,
    "eps": 1e-6,
    "patch_size": [1, 2, 2],
    "num_heads": 4,
    "num_layers": 4,
    "has_image_input": False,
}
TINY_VACE: dict[str, Any] = {
    "vace_layers": [0, 2],
    "vace_in_dim": 96,
    "patch_size": [1, 2, 2],
    "has_image_input": False,
    "dim": 96,
    "num_heads": 4,
    "ffn_dim": 192,
    "eps": 1e-6,
}
TINY_T5: dict[str, Any] = {
    "vocab": 512,
    "dim": 64,
    "dim_attn": 64,
    "dim_ffn": 128,
    "num_heads": 4,
    "num_layers": 2,
    "num_buckets": 32,
    "shared_pos": False,
    "dropout": 0.0,
}
TINY_VAE: dict[str, Any] = {"dim": 8, "z_dim": 16}

TINY_PARTS = Parts(TINY_DIT, TINY_VACE, TINY_T5, TINY_VAE, adapter_rank=128)

_SIZES = TINY_PARTS.sizes(
    text_encoder_parameters=115_264,
    vae_parameters=924_491,
    vae_decode_flop=6.19e4,
    vae_decode_live=441.0,
    dit_disk_bytes=2,
)

_DIT, _DIT_AND_VACE = "84925c2bd02b89c06dc85cb1a1be4d25", "88918302346c87bf8596803ca2661340"

TINY_DIFFSYNTH: tuple[Entry, ...] = (
    dit_entry(_DIT, TINY_DIT),
    dit_beside_vace_entry(_DIT_AND_VACE, TINY_DIT),
    vace_entry(_DIT_AND_VACE, TINY_VACE),
    text_encoder_entry("bcbf522a0f89ab8f1ce926261a4e4c3c", TINY_T5),
    vae_entry("cb16b9a02ae4539361b6cc6302ce413b", TINY_VAE),
)
"""What DiffSynth needs to know to load the tiny sizes: its own classes at other widths, recognised by their headers."""

_DEFAULTS = {
    **SHARED_DEFAULTS,
    "width": 160,
    "height": 96,
    "num_frames": 9,
    "num_inference_steps": 4,
    "dtype": "float32",
}

TINY_ROWS = (
    ModelRow(
        name="tiny",
        summary="Wan2.1 with random weights at a size that a CPU runs in seconds; made on first use",
        base="Wan2.1-T2V",
        root="tiny",
        experts=WAN21_EXPERTS,
        defaults=_DEFAULTS,
        licence="Apache-2.0",
        sizes=_SIZES,
        teacache=TEACACHE_TINY,
        modules=WAN21_MODULES,
        generator="tiny-1",
        diffsynth=TINY_DIFFSYNTH,
    ),
    ModelRow(
        name="tiny-2.2",
        summary="Wan2.2 (two experts) with random weights, tiny; made on first use",
        base="Wan2.2-T2V",
        root="tiny",
        experts=WAN22_EXPERTS,
        defaults={**_DEFAULTS, "num_inference_steps": 6, "cfg_scale": (4.0, 3.0), "sigma_shift": 12.0},
        licence="Apache-2.0",
        sizes=_SIZES,
        teacache=TEACACHE_TINY,
        generator="tiny-1",
        diffsynth=TINY_DIFFSYNTH,
    ),
)
