"""What was trained before, as it was written: in bfloat16's precision, and no longer learning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from diffsynth.models.wan_video_dit import WanModel
from diffsynth.models.wan_video_text_encoder import WanTextEncoder
from safetensors.torch import load_file

from standin_batch.weights.locate import ADAPTERS, TEXT_ENCODERS
from standin_batch.weights.rows_demo import DEMO_DIT, DEMO_PARTS, DEMO_T5
from training.dit.forward import Adapter, Text
from training.dit.text import encode, tokens_of
from training.weights import ROW


def load_dit(root: Path) -> WanModel:
    """The transformer below `root`."""
    dit = WanModel(**DEMO_DIT)
    for path in sorted((root / ROW.base).glob("diffusion_pytorch_model*.safetensors")):
        dit.load_state_dict(load_file(path), strict=True)
    return dit.float().requires_grad_(False)


def load_adapter(root: Path, dit: WanModel) -> Adapter:
    """The Stand-In adapter below `root`."""
    adapter = Adapter(dit, DEMO_PARTS.adapter_rank)
    path = root / ADAPTERS / ROW.experts[0].adapters[0]
    adapter.load_state_dict(torch.load(path, weights_only=True)["state_dict"])
    return adapter.float().requires_grad_(False)


@torch.no_grad()
def encoded(root: Path, captions: Sequence[str]) -> Text:
    """Captions through tokenizer and text encoder below `root`."""
    encoder = WanTextEncoder(**DEMO_T5)
    encoder.load_state_dict(torch.load(root / ROW.base / TEXT_ENCODERS[-1], weights_only=True))
    return encode(encoder.float().eval(), tokens_of(root, captions))
