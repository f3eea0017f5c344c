"""The identity's keys and values, and the attention that appends them.

They depend only on the identity's latent, the DiT's weights, the adapter and the token grid: not on prompt, timestep,
seed or frame count. So they are computed once and appended in every self-attention of the video, for the conditional
and the unconditional pass alike (Stand-In, section 3 of arXiv 2508.07901; `DiTBlock.forward` and
`SelfAttention.forward` in `models/wan_video_dit.py` of the reference).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from diffsynth.models.wan_video_dit import (
    AttentionModule,
    DiTBlock,
    WanModel,
    modulate,
    rope_apply,
    sinusoidal_embedding_1d,
)
from diffsynth.pipelines.wan_video import WanVideoPipeline
from PIL import Image

from standin_batch.engine.adapter import BlockAdapter

SUBJECT_SIZE = 512
"""Pixels along each side of a prepared subject image."""


@dataclass(frozen=True)
class IdentityKV:
    """Keys (after RoPE) and values of the identity's tokens, one pair for each DiT block: [1, 1024, dim] each."""

    keys: tuple[torch.Tensor, ...]
    values: tuple[torch.Tensor, ...]


class IdentityAttention(AttentionModule):  # type: ignore[misc]
    """DiffSynth's attention, with an identity's keys and values appended while there is one."""

    def __init__(self, num_heads: int) -> None:
        super().__init__(num_heads)
        self.identity: tuple[torch.Tensor, torch.Tensor] | None = None

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Attend from `q` to `k`, `v` and the identity: [batch, tokens, dim] each."""
        if self.identity is not None:
            identity_k, identity_v = self.identity
            k, v = torch.cat([k, identity_k], dim=1), torch.cat([v, identity_v], dim=1)
        return super().forward(q, k, v)


def install(dit: WanModel) -> None:
    """Give every self-attention of `dit` the place for an identity. Without one it computes what it did before."""
    for block in dit.blocks:
        block.self_attn.attn = IdentityAttention(block.self_attn.num_heads)


@contextlib.contextmanager
def attached(dit: WanModel, identity: IdentityKV | None) -> Iterator[None]:
    """Within the block, the self-attentions of `dit` see `identity`; afterwards they see none, whatever happened."""
    try:
        if identity is not None:
            for block, k, v in zip(dit.blocks, identity.keys, identity.values, strict=True):
                block.self_attn.attn.identity = (k, v)
        yield
    finally:
        for block in dit.blocks:
            block.self_attn.attn.identity = None


@torch.no_grad()
def encode_subject(pipe: WanVideoPipeline, image: Image.Image) -> torch.Tensor:
    """VAE-encode a prepared subject image as a one-frame video.

    Args:
        pipe: the DiffSynth pipeline.
        image: 512 x 512, RGB.

    Returns:
        A latent [1, 16, 1, 64, 64] in the pipeline's dtype.
    """
    pixels = torch.tensor(np.array(image)).permute(2, 0, 1).float() / 255.0
    # Cast before the shift to [-1, 1], as the reference does: in bfloat16 the order decides the last bit.
    video = pixels[None, :, None].to(dtype=pipe.torch_dtype) * 2 - 1
    return pipe.vae.encode(video, device=pipe.device, tiled=False).to(dtype=pipe.torch_dtype, device=pipe.device)


@torch.no_grad()
def identity_kv(
    dit: WanModel, adapter: Sequence[BlockAdapter], latent: torch.Tensor, grid: tuple[int, int]
) -> IdentityKV:
    """Run the identity's tokens through the DiT and keep their keys and values.

    Args:
        dit: a DiT with no identity attached.
        adapter: one for each block.
        latent: [1, 16, 1, 64, 64].
        grid: rows and columns of the video's tokens (height / 16, width / 16).
    """
    x = dit.patchify(latent)
    rows, columns = x.shape[-2:]
    x = x.flatten(2).transpose(1, 2).contiguous()
    freqs = _freqs(dit, grid, rows, columns).to(x.device)
    t_mod = _modulation_at_zero(dit, latent)
    keys, values = [], []
    for block, lora in zip(dit.blocks, adapter, strict=True):
        x, k, v = _block(block, lora, x, t_mod, freqs)
        keys.append(k)
        values.append(v)
    return IdentityKV(tuple(keys), tuple(values))


def _block(
    block: DiTBlock, lora: BlockAdapter, x: torch.Tensor, t_mod: torch.Tensor, freqs: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """One block for the identity's tokens: self-attention among themselves, no cross-attention to the text."""
    modulation = block.modulation.to(dtype=t_mod.dtype, device=t_mod.device) + t_mod
    shift_msa, scale_msa, gate_msa, shift_mlp, scale_mlp, gate_mlp = modulation.chunk(6, dim=1)
    attention = block.self_attn
    y = modulate(block.norm1(x), shift_msa, scale_msa)
    q = rope_apply(attention.norm_q(attention.q(y) + lora.q(y)), freqs, attention.num_heads)
    k = rope_apply(attention.norm_k(attention.k(y) + lora.k(y)), freqs, attention.num_heads)
    v = attention.v(y) + lora.v(y)
    x = block.gate(x, gate_msa, attention.o(attention.attn(q, k, v)))
    x = block.gate(x, gate_mlp, block.ffn(modulate(block.norm2(x), shift_mlp, scale_mlp)))
    return x, k, v


def _modulation_at_zero(dit: WanModel, like: torch.Tensor) -> torch.Tensor:
    """The modulation of timestep 0: [1, 6, dim]."""
    zero = torch.zeros(1, dtype=like.dtype, device=like.device)
    embedded = dit.time_embedding(sinusoidal_embedding_1d(dit.freq_dim, zero))
    return dit.time_projection(embedded).unflatten(1, (6, dit.dim))


def _freqs(dit: WanModel, grid: tuple[int, int], rows: int, columns: int) -> torch.Tensor:
    """RoPE of the identity: frame -1, and the rows and columns that follow the video's: [rows * columns, 1, head / 2].

    DiffSynth's tables start at 0; the factor of position -1 is the conjugate of that of position 1.
    """
    h, w = grid
    frame = dit.freqs[0][1].conj().resolve_conj().view(1, 1, -1).expand(rows, columns, -1)
    row = dit.freqs[1][h : h + rows].view(rows, 1, -1).expand(rows, columns, -1)
    column = dit.freqs[2][w : w + columns].view(1, columns, -1).expand(rows, columns, -1)
    return torch.cat([frame, row, column], dim=-1).reshape(rows * columns, 1, -1)
