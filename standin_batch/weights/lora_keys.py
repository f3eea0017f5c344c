"""LoRA files for Wan's DiT in every style of keys that its community writes, read to one layout.

The styles: Wan's names with `lora_A`/`lora_B` or `lora_down`/`lora_up` (with or without `diffusion_model.` and PEFT's
`.default`), kohya's underscores with `.alpha`, diffusers' names, and full deltas `.diff`, `.diff_b`, `.diff_m`. Only
headers are read here; the arithmetic is `engine/lora.py`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from standin_batch.weights.header import Header, read_header
from standin_batch.weights.lora_config import PEFT_FILE, PEFT_WEIGHTS, AdapterConfig, adapter_config, beside
from standin_batch.weights.lora_layout import (
    Delta,
    LoraError,
    LoraLayout,
    Pair,
    Shape,
    by_target,
    check_fits,
    matches_nothing,
    refuse_unsupported,
    said_twice,
)
from standin_batch.weights.lora_names import bare, spellings

__all__ = ["Delta", "LoraError", "LoraLayout", "Pair", "read_layout"]

_KEY = re.compile(
    r"(?P<module>.+?)\."
    r"(?:lora[_.](?P<side>A|B|down|up)(?:\.(?P<adapter>[^.]+))?\.weight|(?P<kind>alpha|diff|diff_b|diff_m))"
)
_SIDES = {"A": "down", "down": "down", "B": "up", "up": "up"}
_OTHER_SIDE = {"down": "up", "up": "down"}
_SUFFIXES = (".safetensors", ".sft")


@dataclass
class _Found:
    """The keys of one file by what they are.

    Attributes:
        sides: the keys of a pair by module and adapter, both as spelled in the file.
        alphas: by module as spelled in the file.
    """

    sides: dict[tuple[str, str | None], dict[str, str]] = field(default_factory=dict)
    alphas: dict[str, str] = field(default_factory=dict)
    deltas: list[Delta] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)


def read_layout(path: Path, shapes: Mapping[str, Shape]) -> LoraLayout:
    """Find out what the LoRA at `path` adds to which parameter.

    Args:
        path: a safetensors file; only its header is read.
        shapes: of the DiT's parameters by Wan's names, as `header.tensor_shapes` reads them.

    Raises:
        LoraError: if the file matches nothing, is incomplete, of an unsupported kind, or for a model of other sizes.
        HeaderError: if the file is missing, damaged or no safetensors file.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise LoraError(f"{path} is not a .safetensors file", "convert it: formats like .pt can run code when opened")
    header = read_header(path)
    keys = sorted(header.tensors)
    refuse_unsupported(path, keys)
    table = spellings(shapes)
    found = _find(path, keys, table, shapes)
    additions = by_target(path, [*_pairs(path, found, header, table), *found.deltas])
    if not additions:
        raise matches_nothing(path, keys, shapes)
    for target, parts in additions.items():
        for part in parts:
            check_fits(path, part, header.tensors, shapes[target])
    return LoraLayout(additions, tuple(sorted(found.leftovers)))


def _find(path: Path, keys: Iterable[str], table: Mapping[str, str], shapes: Mapping[str, Shape]) -> _Found:
    found = _Found()
    for key in keys:
        match = _KEY.fullmatch(key)
        module = table.get(bare(match["module"])) if match else None
        if match is None or module is None:
            found.leftovers.append(key)
        elif match["kind"] == "alpha":
            found.alphas[match["module"]] = key
        elif match["side"] and f"{module}.weight" in shapes:
            sides = found.sides.setdefault((match["module"], match["adapter"]), {})
            if (known := sides.setdefault(_SIDES[match["side"]], key)) != key:
                raise said_twice(path, f"{module}.weight", known, key)
        elif match["kind"] and (target := _delta_target(module, match["kind"], shapes)):
            found.deltas.append(Delta(target, key))
        else:
            found.leftovers.append(key)
    return found


def _delta_target(module: str, kind: str, shapes: Mapping[str, Shape]) -> str | None:
    """The parameter that a full delta is for. A modulation's is `modulation.diff` in ComfyUI, `diff_m` in LightX2V."""
    names = {
        "diff": (f"{module}.weight", module),
        "diff_b": (f"{module}.bias",),
        "diff_m": (f"{module}.modulation",),
    }
    return next((name for name in names[kind] if name in shapes), None)


def _pairs(path: Path, found: _Found, header: Header, table: Mapping[str, str]) -> list[Pair]:
    """Downs with their ups and alphas; an alpha without a pair is left over."""
    config = _config(path, found, header)
    pairs = []
    for (spelled, _), sides in found.sides.items():
        for side, key in sides.items():
            if _OTHER_SIDE[side] not in sides:
                raise LoraError(f"{path}: {key} has no {_OTHER_SIDE[side]} beside it", "download the file again")
        module, down = table[bare(spelled)], header.tensors[sides["down"]].shape
        alpha = found.alphas.get(spelled, config.alpha_of((bare(spelled), module), down[0] if down else 0))
        pairs.append(Pair(f"{module}.weight", sides["up"], sides["down"], alpha))
    paired = {spelled for spelled, _ in found.sides}
    found.leftovers.extend(key for spelled, key in found.alphas.items() if spelled not in paired)
    return pairs


def _config(path: Path, found: _Found, header: Header) -> AdapterConfig:
    try:
        config = adapter_config(header.metadata)
        if config.alpha is None and not found.alphas and path.name == PEFT_WEIGHTS:
            _refuse_other_strength(path)
        return config
    except ValueError as error:
        raise LoraError(
            f"{path}: its metadata `lora_adapter_metadata` cannot be understood: {error}",
            "they decide how strong it is; save it with `alpha` tensors instead",
        ) from error


def _refuse_other_strength(path: Path) -> None:
    config = beside(path)
    if config.alpha is not None or config.rank_stabilised:
        raise LoraError(
            f"{path}: its strength (lora_alpha) stands in {PEFT_FILE} beside it, not in the file",
            "save it as one file with diffusers' `save_lora_weights`, or with `.alpha` tensors, and name that one",
        )
