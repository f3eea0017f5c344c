"""Small files under the names that the repositories of the 14B rows really have."""

from __future__ import annotations

import random

from hub import Hub, torch_zip

T2V, VACE, WAN22, STAND_IN, ANTELOPE = (
    "Wan-AI/Wan2.1-T2V-14B",
    "Wan-AI/Wan2.1-VACE-14B",
    "Wan-AI/Wan2.2-T2V-A14B",
    "BowenXue/Stand-In",
    "DIAMONIK7777/antelopev2",
)
ASSET = "xinntao/facexlib/releases/download/v0.2.0/parsing_bisenet.pth"
T5 = "models_t5_umt5-xxl-enc-bf16.pth"
SHARD = "diffusion_pytorch_model-00001-of-00006.safetensors"
SHARD_BYTES = 200_000


def small_hub() -> Hub:
    """A hub with every file of the rows wan2.1-t2v-14b and wan2.2-t2v-a14b, and others that nobody needs."""
    common = {T5: noise("t5", 100_000), "Wan2.1_VAE.pth": noise("vae", 50_000)}
    tokenizer = ("special_tokens_map.json", "spiece.model", "tokenizer.json", "tokenizer_config.json")
    common |= {f"google/umt5-xxl/{name}": noise(name, 300) for name in tokenizer}
    unneeded = {"README.md": b"read me", "assets/logo.png": noise("logo", 5_000)}
    onnx = ("1k3d68", "2d106det", "genderage", "glintr100", "scrfd_10g_bnkps")
    adapters = ("wan2.1_T2V_14B", "wan2.2_T2V_A14B_high", "wan2.2_T2V_A14B_low")
    return Hub(
        repositories={
            T2V: {**_shards("", 6), **common, **unneeded},
            VACE: {**_shards("", 7), **common, **unneeded},
            WAN22: {**_shards("high_noise_model/", 6), **_shards("low_noise_model/", 6), **common, **unneeded},
            STAND_IN: {f"Stand-In_{name}.ckpt": noise(name, 30_000) for name in adapters},
            ANTELOPE: {f"{name}.onnx": noise(name, 20_000) for name in onnx},
        },
        assets={ASSET: torch_zip(noise("parser", 40_000))},
    )


def noise(name: str, size: int) -> bytes:
    """Bytes that only their name decides."""
    return random.Random(name).randbytes(size)


def _shards(folder: str, count: int) -> dict[str, bytes]:
    names = [
        f"{folder}diffusion_pytorch_model-{number:05d}-of-{count:05d}.safetensors" for number in range(1, count + 1)
    ]
    return {name: noise(f"{count} {name}", SHARD_BYTES) for name in names}
