"""The identity's keys and values, which every self-attention of the video appends.

They depend only on the identity's latent, the DiT's weights, the adapter and the token grid: not on prompt, timestep,
seed or frame count. So they are computed once and appended in every self-attention of the video, for the conditional
and the unconditional pass alike (Stand-In, section 3 of arXiv 2508.07901; `DiTBlock.forward` and
`SelfAttention.forward` in `models/wan_video_dit.py` of the reference).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from diffsynth.models.wan_video_dit import WanModel, sinusoidal_embedding_1d
from diffsynth.pipelines.wan_video import WanVideoPipeline
from PIL import Image

from standin_batch.engine.adapter import BlockAdapter
from standin_batch.engine.dit.attention import EXACT, PLAIN, Attention, attend
from standin_batch.engine.dit.block import KeyValue, modulated, modulations
from standin_batch.engine.dit.rope import Rope, identity_rope

IdentityKV = tuple[KeyValue, ...]
"""Keys (after RoPE) and values of the identity's tokens, one pair for each DiT block: [1, n, dim] each.

Tokens n are one for each 16 x 16 pixels of the subject as the model is shown it: 1,024 of 512 x 512.
"""


@torch.no_grad()
def encode_subject(pipe: WanVideoPipeline, image: Image.Image, side: int) -> torch.Tensor:
    """VAE-encode a prepared subject image as a one-frame video.

    Args:
        pipe: the DiffSynth pipeline.
        image: square, RGB.
        side: pixels of each side at which it is encoded (`Sizes.subject_side`).

    Returns:
        A latent [1, 16, 1, side / 8, side / 8] in the pipeline's dtype.
    """
    pixels = torch.tensor(_shown(image, side)).permute(2, 0, 1).float() / 255.0
    # Cast before the shift to [-1, 1], as the reference does: in bfloat16 the order decides the last bit.
    video = pixels[None, :, None].to(dtype=pipe.torch_dtype) * 2 - 1
    return pipe.vae.encode(video, device=pipe.device, tiled=False).to(dtype=pipe.torch_dtype, device=pipe.device)


def _shown(image: Image.Image, side: int) -> npt.NDArray[np.uint8]:
    """The pixels of `image`, [side, side, 3]; brought there by averaging over areas where it has another size."""
    pixels = np.array(image)
    if pixels.shape[:2] == (side, side):
        return pixels
    import cv2

    shown: npt.NDArray[np.uint8] = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
    return shown


@torch.no_grad()
def identity_kv(
    dit: WanModel,
    adapter: Sequence[BlockAdapter],
    latent: torch.Tensor,
    grid: tuple[int, int],
    attention: Attention = EXACT[PLAIN],
) -> IdentityKV:
    """Run the identity's tokens through the DiT and keep their keys and values.

    Args:
        dit: of the video.
        adapter: one for each block.
        latent: as `encode_subject` gives it.
        grid: rows and columns of the video's tokens (height / 16, width / 16).
        attention: of the identity's tokens among themselves.
    """
    x = dit.patchify(latent)
    rows, columns = x.shape[-2:]
    x = x.flatten(2).transpose(1, 2).contiguous()
    rope = identity_rope(dit, grid, rows, columns, x.device)
    modulation = _modulation_at_zero(dit, latent)
    found = []
    for block, lora in zip(dit.blocks, adapter, strict=True):
        x, keys_values = _block(block, lora, x, modulation, rope, attention)
        found.append(keys_values)
    return tuple(found)


def _block(
    block: Any,  # noqa: ANN401
    lora: BlockAdapter,
    x: torch.Tensor,
    modulation: torch.Tensor,
    rope: Rope,
    kernel: Attention,
) -> tuple[torch.Tensor, KeyValue]:
    """One block for the identity's tokens: self-attention among themselves, no cross-attention to the text."""
    shift_msa, scale_msa, gate_msa, shift_mlp, scale_mlp, gate_mlp = modulations(block, modulation)
    attention = block.self_attn
    y = modulated(block.norm1(x), shift_msa, scale_msa)
    q, k = attention.norm_q(attention.q(y) + lora.q(y)), attention.norm_k(attention.k(y) + lora.k(y))
    q, k, v = rope.rotate(q, out=q), rope.rotate(k, out=k), attention.v(y) + lora.v(y)
    x = x.addcmul_(gate_msa, attention.o(attend(kernel, q, k, v, attention.num_heads)))
    x = x.addcmul_(gate_mlp, block.ffn(modulated(block.norm2(x), shift_mlp, scale_mlp)))
    return x, (k, v)


def _modulation_at_zero(dit: WanModel, like: torch.Tensor) -> torch.Tensor:
    """The modulation of timestep 0: [1, 6, dim]."""
    zero = torch.zeros(1, dtype=like.dtype, device=like.device)
    embedded = dit.time_embedding(sinusoidal_embedding_1d(dit.freq_dim, zero))
    return dit.time_projection(embedded).unflatten(1, (6, dit.dim))
