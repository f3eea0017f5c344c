"""One LoRA in every style of keys that the community writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

_PREFIX, _DOWN, _UP = "diffusion_model.", ".lora_A.weight", ".lora_B.weight"
_DIFFUSERS = {
    "self_attn": "attn1",
    "cross_attn": "attn2",
    "q": "to_q",
    "k": "to_k",
    "v": "to_v",
    "o": "to_out.0",
}
_DIFFUSERS_FFN = {"ffn.0": "ffn.net.0.proj", "ffn.2": "ffn.net.2"}

Pairs = Mapping[str, tuple[torch.Tensor, torch.Tensor]]

STYLES = [
    "lora_A",
    "lora_A_bare",
    "peft",
    "peft_base_model",
    "lora_down",
    "lora_down_bare",
    "lora_down_model",
    "kohya",
    "kohya_diffusers",
    "diffusers",
    "alpha_in_metadata",
    "diff",
]
"""The names of all that `write_styles` writes."""


def write_styles(source: Path, folder: Path) -> dict[str, Path]:
    """Write the LoRA `source` in every style below `folder`; fused at any scale, all give the same weights to the bit.

    Args:
        source: in the style `diffusion_model.blocks.N.….lora_A.weight`, without alpha, of an even rank.
        folder: an existing folder.

    Returns:
        The files by the name of their style.
    """
    pairs = _read(source)
    written = {}
    for name, tensors in _styles(pairs).items():
        written[name] = folder / f"{name}.safetensors"
        metadata = {"format": "pt"} | (_metadata(pairs) if name == "alpha_in_metadata" else {})
        save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, written[name], metadata)
    return written


def _read(source: Path) -> Pairs:
    tensors = load_file(source)
    modules = sorted(key.removeprefix(_PREFIX).removesuffix(_DOWN) for key in tensors if key.endswith(_DOWN))
    return {module: (tensors[_PREFIX + module + _DOWN], tensors[_PREFIX + module + _UP]) for module in modules}


def _styles(pairs: Pairs) -> dict[str, dict[str, torch.Tensor]]:
    diffusers = {_in_diffusers(module): pair for module, pair in pairs.items()}
    halved = {module: (down, up * 2) for module, (down, up) in diffusers.items()}
    return {
        "lora_A": _dotted(pairs, "diffusion_model.", "lora_A", "lora_B"),
        "lora_A_bare": _dotted(pairs, "", "lora_A", "lora_B"),
        "peft": _dotted(pairs, "", "lora_A.default", "lora_B.default"),
        "peft_base_model": _dotted(pairs, "base_model.model.", "lora_A", "lora_B"),
        "lora_down": _dotted(pairs, "diffusion_model.", "lora_down", "lora_up"),
        "lora_down_bare": _dotted(pairs, "", "lora_down", "lora_up"),
        "lora_down_model": _dotted(pairs, "model.diffusion_model.", "lora_down", "lora_up"),
        "kohya": _kohya(pairs),
        "kohya_diffusers": _kohya(diffusers),
        "diffusers": _dotted(diffusers, "transformer.", "lora_A", "lora_B"),
        "alpha_in_metadata": _dotted(halved, "transformer.", "lora_A", "lora_B"),
        "diff": {f"diffusion_model.{module}.diff": up.float() @ down.float() for module, (down, up) in pairs.items()},
    }


def _dotted(pairs: Pairs, prefix: str, down_name: str, up_name: str) -> dict[str, torch.Tensor]:
    tensors = {}
    for module, (down, up) in pairs.items():
        tensors[f"{prefix}{module}.{down_name}.weight"] = down
        tensors[f"{prefix}{module}.{up_name}.weight"] = up
    return tensors


def _kohya(pairs: Pairs) -> dict[str, torch.Tensor]:
    """With alpha at half the rank and `up` doubled, which no bit of the result can tell."""
    tensors = {}
    for module, (down, up) in pairs.items():
        name = "lora_unet_" + module.replace(".", "_")
        tensors[f"{name}.lora_down.weight"] = down
        tensors[f"{name}.lora_up.weight"] = up * 2
        tensors[f"{name}.alpha"] = torch.tensor(down.shape[0] / 2)
    return tensors


def _metadata(pairs: Pairs) -> dict[str, str]:
    """As a diffusers pipeline writes PEFT's configuration."""
    rank = next(iter(pairs.values()))[0].shape[0]
    config = {"r": rank, "lora_alpha": rank / 2, "alpha_pattern": {}, "rank_pattern": {}, "use_rslora": False}
    return {"lora_adapter_metadata": json.dumps({f"transformer.{key}": value for key, value in config.items()})}


def _in_diffusers(module: str) -> str:
    blocks, number, *rest = module.split(".")
    inside = _DIFFUSERS_FFN.get(".".join(rest)) or ".".join(_DIFFUSERS[part] for part in rest)
    return f"{blocks}.{number}.{inside}"
