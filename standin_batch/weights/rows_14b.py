"""The rows of Wan's models of 14B parameters, and what other rows take over from them."""

from __future__ import annotations

from typing import Any

from standin_batch.weights import sources
from standin_batch.weights.model_row import Expert, ModelRow, Module
from standin_batch.weights.sizes import Sizes

NEGATIVE_PROMPT = (
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，JPEG压缩残留，"
    "丑陋的，残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，手指融合，静止不动的画面，"
    "杂乱的背景，三条腿，背景人很多，倒着走"
)
"""Wan's own negative prompt, which Stand-In was tuned with."""

SHARDS = "diffusion_pytorch_model*.safetensors"
WAN21_ADAPTERS = ("Stand-In_wan2.1_T2V_14B.ckpt", "Stand-In_wan2.1_T2V_14B_ver1.0.ckpt")

WAN21_EXPERTS = (Expert("base", SHARDS, WAN21_ADAPTERS),)
WAN22_EXPERTS = (
    Expert("high_noise", f"high_noise_model/{SHARDS}", ("Stand-In_wan2.2_T2V_A14B_high.ckpt",)),
    Expert("low_noise", f"low_noise_model/{SHARDS}", ("Stand-In_wan2.2_T2V_A14B_low.ckpt",)),
)

VACE = "vace"
"""Name of the module that the mode of the same name needs."""

WAN21_MODULES = {VACE: Module("wan2.1-vace-14b", sources.WAN21_VACE, SHARDS, "vace_")}

_SIZES_14B = Sizes(
    dim=5120,
    ffn_dim=13824,
    num_layers=40,
    num_heads=40,
    text_dim=4096,
    freq_dim=256,
    vace_layers=8,
    adapter_rank=128,
    text_encoder_parameters=5_680_910_336,
    vae_parameters=126_892_531,
    vae_decode_flop=8.51e6,
    vae_decode_live=4861.0,
    dit_disk_bytes=4,
)

TEACACHE_14B = (-3.03318725e05, 4.90537029e04, -2.65530556e03, 5.87365115e01, -3.15583525e-01)
"""Fitted by TeaCache's authors to Wan2.1-T2V-14B, as DiffSynth's `TeaCache` has them. For Wan2.2 there is no fit."""

SHARED_DEFAULTS: dict[str, Any] = {
    "negative_prompt": NEGATIVE_PROMPT,
    "seed": 0,
    "width": 832,
    "height": 480,
    "num_frames": 81,
    "fps": 25.0,
    "max_frames": 81,
    "max_pixels": 1280 * 720,
    "num_inference_steps": 20,
    "cfg_scale": 5.0,
    "sigma_shift": 5.0,
    "dtype": "bfloat16",
    "vae_tiled": False,
}

ROWS_14B = (
    ModelRow(
        name="wan2.1-t2v-14b",
        summary="Wan2.1 text to video, 14B parameters",
        base="Wan2.1-T2V",
        experts=WAN21_EXPERTS,
        defaults=SHARED_DEFAULTS,
        licence="Apache-2.0",
        sizes=_SIZES_14B,
        teacache=TEACACHE_14B,
        sources=(sources.WAN21_T2V,),
        adapters=(sources.STAND_IN_21,),
        modules=WAN21_MODULES,
    ),
    ModelRow(
        name="wan2.2-t2v-a14b",
        summary="Wan2.2 text to video, two experts of 14B parameters",
        base="Wan2.2-T2V",
        experts=WAN22_EXPERTS,
        defaults={
            **SHARED_DEFAULTS,
            "num_inference_steps": 40,
            "cfg_scale": (4.0, 3.0),
            "sigma_shift": 12.0,
        },
        licence="Apache-2.0",
        sizes=_SIZES_14B,
        teacache=TEACACHE_14B,
        sources=(sources.WAN22_T2V,),
        adapters=(sources.STAND_IN_22,),
    ),
)
