"""Names and shapes of a model's tensors as its makers publish them, counted from its sizes.

Source: `WanModel` and `VaceWanModel` of DiffSynth and Wan2.1's own code; the adapter's are Stand-In's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from standin_batch.weights.sizes import Sizes

Shapes = Mapping[str, tuple[int, ...]]

LATENT_CHANNELS = 16
VACE_CHANNELS = 96
PATCH = (1, 2, 2)
HEAD_NUMBERS = 64
"""Of one token's output: the latent's channels times a patch."""


def dit_shapes(sizes: Sizes) -> Shapes:
    """The tensors of one diffusion transformer."""
    dim = sizes.dim
    shapes = dict(
        (
            *_layer("patch_embedding", (dim, LATENT_CHANNELS, *PATCH)),
            *_layer("text_embedding.0", (dim, sizes.text_dim)),
            *_layer("text_embedding.2", (dim, dim)),
            *_layer("time_embedding.0", (dim, sizes.freq_dim)),
            *_layer("time_embedding.2", (dim, dim)),
            *_layer("time_projection.1", (6 * dim, dim)),
            *_layer("head.head", (HEAD_NUMBERS, dim)),
        )
    )
    shapes["head.modulation"] = (1, 2, dim)
    for block in range(sizes.num_layers):
        shapes |= dict(_block(f"blocks.{block}", sizes))
    return shapes


def vace_shapes(sizes: Sizes) -> Shapes:
    """The tensors of the VACE module."""
    dim = sizes.dim
    shapes = dict(_layer("vace_patch_embedding", (dim, VACE_CHANNELS, *PATCH)))
    shapes |= dict(_layer("vace_blocks.0.before_proj", (dim, dim)))
    for block in range(sizes.vace_layers):
        shapes |= dict(_layer(f"vace_blocks.{block}.after_proj", (dim, dim)))
        shapes |= dict(_block(f"vace_blocks.{block}", sizes))
    return shapes


def adapter_shapes(sizes: Sizes, rank: int) -> Shapes:
    """The tensors of a Stand-In adapter of this rank."""
    sides = {"down": (rank, sizes.dim), "up": (sizes.dim, rank)}
    return {
        f"blocks.{block}.self_attn.{part}_loras.{side}.weight": shape
        for block in range(sizes.num_layers)
        for part in "qkv"
        for side, shape in sides.items()
    }


def _block(name: str, sizes: Sizes) -> Iterator[tuple[str, tuple[int, ...]]]:
    dim = sizes.dim
    for attention in (f"{name}.self_attn", f"{name}.cross_attn"):
        for part in "qkvo":
            yield from _layer(f"{attention}.{part}", (dim, dim))
        for part in "qk":
            yield f"{attention}.norm_{part}.weight", (dim,)
    yield f"{name}.norm3.weight", (dim,)
    yield f"{name}.norm3.bias", (dim,)
    yield from _layer(f"{name}.ffn.0", (sizes.ffn_dim, dim))
    yield from _layer(f"{name}.ffn.2", (dim, sizes.ffn_dim))
    yield f"{name}.modulation", (1, 6, dim)


def _layer(name: str, shape: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", shape
    yield f"{name}.bias", shape[:1]
