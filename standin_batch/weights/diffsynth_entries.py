"""Entries for DiffSynth's `MODEL_CONFIGS`: its own classes at sizes that it does not know.

`model_hash` is what DiffSynth recognises a checkpoint by: of the names and shapes of its tensors.
`python -m training.hashes` prints that of each part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Entry = Mapping[str, Any]

_MODELS = "diffsynth.models"
_CONVERTERS = "diffsynth.utils.state_dict_converters"


def dit_entry(model_hash: str, sizes: Mapping[str, Any]) -> Entry:
    """A diffusion transformer, `WanModel`, in a checkpoint of its own."""
    return _entry(model_hash, "wan_video_dit", f"{_MODELS}.wan_video_dit.WanModel", sizes)


def dit_beside_vace_entry(model_hash: str, sizes: Mapping[str, Any]) -> Entry:
    """A diffusion transformer in a checkpoint that holds VACE as well."""
    converter = f"{_CONVERTERS}.wan_video_dit.WanVideoDiTStateDictConverter"
    return {**dit_entry(model_hash, sizes), "state_dict_converter": converter}


def vace_entry(model_hash: str, sizes: Mapping[str, Any]) -> Entry:
    """VACE, `VaceWanModel`, in a checkpoint of its own or beside a transformer."""
    converter = f"{_CONVERTERS}.wan_video_vace.VaceWanModelDictConverter"
    entry = _entry(model_hash, "wan_video_vace", f"{_MODELS}.wan_video_vace.VaceWanModel", sizes)
    return {**entry, "state_dict_converter": converter}


def text_encoder_entry(model_hash: str, sizes: Mapping[str, Any]) -> Entry:
    """An umT5 encoder, `WanTextEncoder`."""
    return _entry(model_hash, "wan_video_text_encoder", f"{_MODELS}.wan_video_text_encoder.WanTextEncoder", sizes)


def vae_entry(model_hash: str, sizes: Mapping[str, Any]) -> Entry:
    """A video VAE, by the one class that takes a width."""
    converter = f"{_CONVERTERS}.wan_video_vae.WanVideoVAEStateDictConverter"
    entry = _entry(model_hash, "wan_video_vae", "standin_batch.engine.vae.SizedWanVideoVAE", sizes)
    return {**entry, "state_dict_converter": converter}


def _entry(model_hash: str, name: str, model_class: str, sizes: Mapping[str, Any]) -> Entry:
    return {"model_hash": model_hash, "model_name": name, "model_class": model_class, "extra_kwargs": sizes}
