"""The strength that diffusers and PEFT keep in a file's metadata, or beside it, instead of in `alpha` tensors.

diffusers writes PEFT's `LoraConfig` as JSON under `lora_adapter_metadata`: `save_lora_weights` of a pipeline puts
`transformer.` in front of every key, `save_lora_adapter` of a model does not (`loaders/lora_base.py` and
`loaders/peft.py` in huggingface/diffusers). PEFT's own `save_pretrained` writes a file `adapter_config.json` beside the
weights. That one is no part of the LoRA's file, whose content names the job, so it is only looked at to refuse a LoRA
that would act with another strength than it says.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_METADATA_KEY = "lora_adapter_metadata"
PEFT_FILE, PEFT_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PREFIXES = ("transformer.", "")
_PLAIN_NAME = re.compile(r"\^?[\w.]+")


@dataclass(frozen=True)
class AdapterConfig:
    """What a file's metadata say of its strength.

    Attributes:
        alpha: for every module without a value of its own; None if nothing is said.
        patterns: alpha by the name of a module, or by the end of one.
        rank_stabilised: alpha is divided by the root of the rank (rsLoRA, arXiv 2312.03732), not by the rank.
    """

    alpha: float | None = None
    patterns: Mapping[str, float] | None = None
    rank_stabilised: bool = False

    def alpha_of(self, modules: tuple[str, ...], rank: int) -> float | None:
        """What to divide by `rank` for the module that goes by these names; None means a factor of 1."""
        matching = (alpha for name, alpha in (self.patterns or {}).items() if any(_ends(m, name) for m in modules))
        alpha = next(matching, self.alpha)
        if alpha is None or not self.rank_stabilised:
            return alpha
        return alpha * math.sqrt(rank)


def adapter_config(metadata: Mapping[str, str]) -> AdapterConfig:
    """Read the configuration out of a safetensors file's metadata.

    Raises:
        ValueError: if there is one that cannot be understood; acting on half of it would change the strength.
    """
    if _METADATA_KEY not in metadata:
        return AdapterConfig()
    try:
        written = json.loads(metadata[_METADATA_KEY])
        prefix = next((prefix for prefix in _PREFIXES if f"{prefix}lora_alpha" in written), None)
        if prefix is None:
            return AdapterConfig()
        return AdapterConfig(
            _number(written[f"{prefix}lora_alpha"]),
            {_plain(name): _number(alpha) for name, alpha in (written.get(f"{prefix}alpha_pattern") or {}).items()},
            bool(written.get(f"{prefix}use_rslora")),
        )
    except (TypeError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def beside(path: Path) -> AdapterConfig:
    """What PEFT's file beside the LoRA at `path` says; nothing if there is none, or it cannot be understood."""
    try:
        written = json.loads((path.parent / PEFT_FILE).read_bytes())
        alpha, rank = _number(written["lora_alpha"]), _number(written["r"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return AdapterConfig()
    patterns = dict.fromkeys([*(written.get("alpha_pattern") or {}), *(written.get("rank_pattern") or {})], alpha)
    return AdapterConfig(None if alpha == rank and not patterns else alpha, patterns, bool(written.get("use_rslora")))


def _ends(module: str, name: str) -> bool:
    """PEFT's rule for its patterns, for those that are plain names."""
    return module == name.removeprefix("^") or (not name.startswith("^") and module.endswith(f".{name}"))


def _plain(name: str) -> str:
    if not _PLAIN_NAME.fullmatch(name):
        raise ValueError(f"alpha_pattern {name!r} is a regular expression, only names are supported")
    return name


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)
