"""Where the demo model's weights are written: each part in the hub's file layout, in bfloat16.

What is given has to have the names and shapes that the row's sizes say, so that what is saved can be loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from standin_batch.weights import small_tokenizer
from standin_batch.weights.fault import difference
from standin_batch.weights.locate import ADAPTERS, TEXT_ENCODERS, TOKENIZER, VAES
from standin_batch.weights.random_tensors import random_tensors
from standin_batch.weights.registry import ROWS, VACE
from standin_batch.weights.rows_demo import DEMO_PARTS
from standin_batch.weights.shapes import Shapes
from standin_batch.weights.small_files import write_pickle, write_shards
from standin_batch.weights.tiny_faces import write_face_models

if TYPE_CHECKING:
    import torch

    State = Mapping[str, torch.Tensor]

ROW = ROWS["demo"]
ROOT = Path("checkpoints") / ROW.root


def save_vae(root: Path, state: State) -> None:
    """Write the VAE.

    Args:
        root: of the demo model's files.
        state: of a `VideoVAE_`, on any device.

    Raises:
        ValueError: if it is of other sizes; so it is for all parts.
    """
    write_pickle(root / ROW.base / VAES[-1], _rounded(state, DEMO_PARTS.vae_shapes()))


def save_text_encoder(root: Path, state: State) -> None:
    """Write the text encoder: the state of a `WanTextEncoder`."""
    write_pickle(root / ROW.base / TEXT_ENCODERS[-1], _rounded(state, DEMO_PARTS.text_encoder_shapes()))


def write_tokenizer(root: Path, words: Sequence[str]) -> None:
    """Write the tokenizer, which goes with the text encoder.

    Args:
        root: of the demo model's files.
        words: in small letters, each a token of its own; at most 158, as characters and bytes have theirs.

    Raises:
        ValueError: if there are too many, or one is there twice.
    """
    small_tokenizer.write_tokenizer(root / ROW.base / TOKENIZER, words)


def save_dit(root: Path, state: State) -> None:
    """Write the diffusion transformer: the state of a `WanModel`."""
    write_shards(root / ROW.base, _rounded(state, DEMO_PARTS.dit_shapes()))


def save_vace(root: Path, state: State) -> None:
    """Write VACE: the state of a `VaceWanModel`. It lies alone in its checkpoint, beside the base."""
    write_shards(root / ROW.modules[VACE].source.folder, _rounded(state, DEMO_PARTS.vace_shapes()))


def save_adapter(root: Path, state: State) -> None:
    """Write the Stand-In adapter: `blocks.N.self_attn.q_loras.down.weight` [32, 160], `up` [160, 32], k and v alike."""
    adapter = _rounded(state, DEMO_PARTS.adapter_shapes())
    write_pickle(root / ADAPTERS / ROW.experts[0].adapters[0], {"state_dict": adapter})


def random_weights(root: Path, words: Sequence[str] = ()) -> None:
    """Write a demo model that has learnt nothing: every part random, the face models those of the tiny model."""
    save_vae(root, random_tensors("demo/vae", DEMO_PARTS.vae_shapes()))
    save_text_encoder(root, random_tensors("demo/t5", DEMO_PARTS.text_encoder_shapes()))
    write_tokenizer(root, words)
    save_dit(root, random_tensors("demo/dit", DEMO_PARTS.dit_shapes()))
    save_vace(root, random_tensors("demo/vace", DEMO_PARTS.vace_shapes()))
    save_adapter(root, random_tensors("demo/adapter", DEMO_PARTS.adapter_shapes()))
    write_face_models(root)


def _rounded(state: State, expected: Shapes) -> dict[str, torch.Tensor]:
    """In bfloat16, on the CPU, each with a storage of its own."""
    import torch

    if wrong := difference({name: tuple(tensor.shape) for name, tensor in state.items()}, expected):
        raise ValueError(f"the state {wrong[1]}")
    return {name: state[name].detach().to("cpu", torch.bfloat16, copy=True).contiguous() for name in expected}
