"""How the modules of Wan's DiT are spelled by those who train LoRAs for it: by Wan, by diffusers, by kohya.

Kohya writes dots as underscores, which cannot be undone by a rule (`self_attn`, `text_embedding.0`). So nothing is
parsed: every spelling of every module of this model is written down in a table, and looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_PREFIX = re.compile(r"lora_unet_|lora_transformer_|(?:(?:base_model\.model|diffusion_model|model|transformer|dit)\.)*")

_IN_BLOCK = {
    **{
        f"{ours}.{part}": f"{theirs}.{part_theirs}"
        for ours, theirs in (("self_attn", "attn1"), ("cross_attn", "attn2"))
        for part, part_theirs in (
            ("q", "to_q"),
            ("k", "to_k"),
            ("v", "to_v"),
            ("o", "to_out.0"),
            ("norm_q", "norm_q"),
            ("norm_k", "norm_k"),
            ("k_img", "add_k_proj"),
            ("v_img", "add_v_proj"),
            ("norm_k_img", "norm_added_k"),
        )
    },
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
    "norm3": "norm2",
    "modulation": "scale_shift_table",
}
_OUTSIDE = {
    "text_embedding.0": "condition_embedder.text_embedder.linear_1",
    "text_embedding.2": "condition_embedder.text_embedder.linear_2",
    "time_embedding.0": "condition_embedder.time_embedder.linear_1",
    "time_embedding.2": "condition_embedder.time_embedder.linear_2",
    "time_projection.1": "condition_embedder.time_proj",
    "head.head": "proj_out",
    "head.modulation": "scale_shift_table",
}
_BLOCK = re.compile(r"(blocks\.\d+)\.(.+)")


def bare(spelled: str) -> str:
    """A module's name without what trainers and tools put in front of it."""
    return _PREFIX.sub("", spelled, count=1)


def in_diffusers(name: str) -> str:
    """What diffusers calls the module that Wan calls `name`; `name` itself where they agree."""
    if match := _BLOCK.fullmatch(name):
        return f"{match[1]}.{_IN_BLOCK.get(match[2], match[2])}"
    return _OUTSIDE.get(name, name)


def spellings(parameters: Iterable[str]) -> Mapping[str, str]:
    """Every spelling of every module that owns one of `parameters`, and Wan's name for it.

    A modulation is no module's weight: its own name and that of the block around it are in the table too.
    """
    names = sorted({owner for name in parameters for owner in _owners(name)})
    theirs = [in_diffusers(name) for name in names]
    table: dict[str, str] = {}
    # Wan's own names come first: what it calls `norm2` has no weights, but must never be taken for diffusers' `norm2`.
    for written in (names, theirs, map(_underscored, names), map(_underscored, theirs)):
        for spelling, name in zip(written, names, strict=True):
            table.setdefault(spelling, name)
    return table


def _owners(parameter: str) -> tuple[str, ...]:
    owner, _, last = parameter.rpartition(".")
    return (owner,) if last in ("weight", "bias") else (owner, parameter)


def _underscored(name: str) -> str:
    return name.replace(".", "_")
