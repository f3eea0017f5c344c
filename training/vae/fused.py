"""RMS norm over the channels and SiLU: in one pass where a C++ compiler is at hand, else in PyTorch's own steps."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from training.compiler import can_compile

SMALLEST = 1e-12
WIDTHS = (16, 32, 64)


def norm_silu(x: torch.Tensor, gamma: torch.Tensor, before: int) -> torch.Tensor:
    """SiLU of `x` over its root mean square, times `gamma`, behind frames of zeros.

    Args:
        x: [B, C, T, H, W].
        gamma: C numbers.
        before: how many frames of zeros to put in front, for a causal convolution.

    Returns:
        [B, C, before + T, H, W].
    """
    if x.device.type == "cpu" and x.dtype is torch.bfloat16 and x.shape[1] in WIDTHS and kernels() is not None:
        y: torch.Tensor = _NormSilu.apply(x.permute(0, 2, 3, 4, 1), gamma.flatten().float(), before)
        return y.permute(0, 4, 1, 2, 3)
    y = F.silu(norm(x, gamma))
    return F.pad(y, (0, 0, 0, 0, before, 0)) if before else y


def norm(x: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
    """`x`, [B, C, ...], over its root mean square along the channels, times `gamma`."""
    length = x.float().square().mean(dim=1, keepdim=True).add(SMALLEST).rsqrt().to(x.dtype)
    return x * length * gamma.to(x.dtype).reshape(-1, *(1,) * (x.dim() - 2))


@cache
def kernels() -> Any | None:  # noqa: ANN401
    """The compiled kernels; None, said once, where they cannot be built."""
    from torch.utils.cpp_extension import load

    said = logging.getLogger(__name__)
    if not can_compile():
        said.warning("without a C++ compiler and ninja this takes about twice as long")
        return None
    flags = ["-O3", "-march=native", "-ffast-math", "-fopenmp"]
    try:
        return load("standin_training_vae", [str(Path(__file__).with_name("fused.cpp"))], extra_cflags=flags)
    except (OSError, RuntimeError) as error:
        said.warning("the VAE's kernels cannot be compiled, so this takes about twice as long: %s", error)
        return None


class _NormSilu(torch.autograd.Function):
    """The kernels with the channels last: [B, T, H, W, C]."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, gamma: torch.Tensor, before: int) -> torch.Tensor:  # noqa: ANN401
        x = x.contiguous()
        ctx.save_for_backward(x, gamma)
        ctx.before = before
        y: torch.Tensor = kernels().forward(x, gamma, before)  # type: ignore[union-attr]
        return y

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:  # noqa: ANN401
        x, gamma = ctx.saved_tensors
        gx, ggamma = kernels().backward(x, gamma, gradient.contiguous(), ctx.before)  # type: ignore[union-attr]
        return gx, ggamma, None
