"""The row of the demo model: Wan2.1 in small, trained by `training` on a drawn world; it comes with the repository."""

from __future__ import annotations

from typing import Any

from standin_batch.weights.diffsynth_entries import Entry, dit_entry, text_encoder_entry, vace_entry, vae_entry
from standin_batch.weights.model_row import ModelRow
from standin_batch.weights.parts import Parts
from standin_batch.weights.rows_14b import SHARED_DEFAULTS, WAN21_EXPERTS, WAN21_MODULES

DEMO_SIDE = 96
"""Pixels of each side of a clip, and of a subject as the model is shown it."""

TEACACHE_DEMO = (0.1, 0.0)
"""Not fitted: a change of the modulation counts as a tenth of it, as for the tiny model."""

DEMO_DIT: dict[str, Any] = {
    "dim": 160,
    "in_dim": 16,
    "ffn_dim": 384,
    "out_dim": 16,
    "text_dim": 64,
    "freq_dim": 64,
    "eps": 1e-6,
    "patch_size": [1, 2, 2],
    "num_heads": 5,
    "num_layers": 6,
    "has_image_input": False,
}
DEMO_VACE: dict[str, Any] = {
    "vace_layers": [0],
    "vace_in_dim": 96,
    "patch_size": [1, 2, 2],
    "has_image_input": False,
    "dim": 160,
    "num_heads": 5,
    "ffn_dim": 384,
    "eps": 1e-6,
}
DEMO_T5: dict[str, Any] = {
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
DEMO_VAE: dict[str, Any] = {"dim": 16, "z_dim": 16}

DEMO_PARTS = Parts(DEMO_DIT, DEMO_VACE, DEMO_T5, DEMO_VAE, adapter_rank=32)

_SIZES = DEMO_PARTS.sizes(
    text_encoder_parameters=115_264,
    vae_parameters=3_602_371,
    vae_decode_flop=2.42e5,
    vae_decode_live=750.0,
    dit_disk_bytes=2,
    subject_side=DEMO_SIDE,
)

DEMO_DIFFSYNTH: tuple[Entry, ...] = (
    dit_entry("ec7d6ccc25c54f0bc0c4653be7130e6b", DEMO_DIT),
    vace_entry("6811d05d5e4ba0f23857e5763d30438c", DEMO_VACE),
    text_encoder_entry("bcbf522a0f89ab8f1ce926261a4e4c3c", DEMO_T5),
    vae_entry("438d631aacf1c0bf3b359a8315529e73", DEMO_VAE),
)
"""As `TINY_DIFFSYNTH`; VACE is alone in its checkpoint."""

DEMO_DIGESTS: dict[str, str] = {}
"""Of the committed weights; `python -m training.digests` prints them."""

_DEFAULTS = {
    **SHARED_DEFAULTS,
    "negative_prompt": "",
    "width": DEMO_SIDE,
    "height": DEMO_SIDE,
    "num_frames": 13,
    "fps": 8.0,
    "max_pixels": 256 * 256,
    "cfg_scale": 3.0,
    "sigma_shift": 3.0,
    "dtype": "float32",
}

DEMO_ROWS = (
    ModelRow(
        name="demo",
        summary="Wan2.1 trained small on drawn characters; comes with the repository, and a CPU runs it in seconds",
        base="Wan2.1-T2V",
        root="demo",
        experts=WAN21_EXPERTS,
        defaults=_DEFAULTS,
        licence="Apache-2.0",
        sizes=_SIZES,
        teacache=TEACACHE_DEMO,
        modules=WAN21_MODULES,
        digests=DEMO_DIGESTS,
        diffsynth=DEMO_DIFFSYNTH,
    ),
)
