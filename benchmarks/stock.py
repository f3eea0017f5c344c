"""Stock DiffSynth's attention: which kernel it takes, and how it is made to take another for a fair comparison."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from standin_batch.engine.dit.attention import Attention


def stock_attention() -> str:
    """The kernel that stock DiffSynth takes here, by what can be imported, in the engine's names."""
    from diffsynth.models import wan_video_dit as stock

    from standin_batch.engine.dit.attention import PLAIN

    packages = {"flash-attn-3": stock.FLASH_ATTN_3_AVAILABLE, "flash-attn-2": stock.FLASH_ATTN_2_AVAILABLE}
    packages["sage"] = stock.SAGE_ATTN_AVAILABLE
    return next((name for name, there in packages.items() if there), PLAIN)


@contextmanager
def attention_by(kernel: Attention) -> Iterator[None]:
    """Within the block, all attention of stock DiffSynth's transformer is computed by `kernel`.

    As in the engine: of the video among itself, and to the prompt.
    """
    from diffsynth.models import wan_video_dit as stock

    from standin_batch.engine.dit.attention import attend

    def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, num_heads: int) -> torch.Tensor:
        return attend(kernel, q, k, v, num_heads)

    own = stock.flash_attention
    stock.flash_attention = attention
    try:
        yield
    finally:
        stock.flash_attention = own
