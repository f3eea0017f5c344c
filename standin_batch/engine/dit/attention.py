"""Attention kernels: which there are, and the fastest exact one, chosen by measuring them on this machine once."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from types import MappingProxyType
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

logger = logging.getLogger(__name__)

Attention = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""From query, key and value, [batch, tokens, heads, head] each, to the same shape as the query."""

PLAIN = "sdpa"
"""What PyTorch chooses itself: there on every device and for every dtype."""

REPEATS = 3


def _sdpa(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    q, k, v = (each.transpose(1, 2) for each in (q, k, v))
    return torch.nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2)


def _sdpa_by(backend: SDPBackend, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    with sdpa_kernel(backend):
        return _sdpa(q, k, v)


@dataclass(frozen=True)
class Package:
    """A function of a package that need not be there, which takes our shapes.

    Attributes:
        module: that has it.
        function: its name.
        options: that it is called with.
    """

    module: str
    function: str
    options: tuple[tuple[str, str], ...] = ()

    def __call__(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Attend by it."""
        return self.found()(q, k, v)

    def found(self) -> Attention:
        """The function itself, looked up once: within a compiled block a look-up would break the graph.

        Raises:
            ImportError, AttributeError: if it is not there.
        """
        function = getattr(importlib.import_module(self.module), self.function)
        return partial(_first, partial(function, **dict(self.options)))


def _first(function: Callable[..., Any], q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """What `function` gives; some give the logarithms of the sums besides."""
    found = function(q, k, v)
    first: torch.Tensor = found[0] if isinstance(found, tuple) else found
    return first


def found(attention: Attention) -> Attention:
    """The same kernel without a look-up in each call."""
    return attention.found() if isinstance(attention, Package) else attention


EXACT: Mapping[str, Attention] = MappingProxyType(
    {
        PLAIN: _sdpa,
        "cudnn": partial(_sdpa_by, SDPBackend.CUDNN_ATTENTION),
        "flash": partial(_sdpa_by, SDPBackend.FLASH_ATTENTION),
        "flash-attn-3": Package("flash_attn_interface", "flash_attn_func"),
        "flash-attn-2": Package("flash_attn", "flash_attn_func"),
    }
)
"""Kernels that compute attention as it is defined, within the rounding of the dtype."""

INEXACT: Mapping[str, Attention] = MappingProxyType(
    {"sage": Package("sageattention", "sageattn", (("tensor_layout", "NHD"),))}
)
"""Kernels that round further, only where a job asks for it: SageAttention has int8 queries and keys (2410.02367)."""


@dataclass(frozen=True)
class Shape:
    """What attention is measured at.

    Attributes:
        queries: tokens of the video.
        keys: the same and the identity's.
        heads: of the transformer.
        head: width of one.
    """

    queries: int
    keys: int
    heads: int
    head: int


def fastest(shape: Shape, dtype: torch.dtype, device: str) -> tuple[str, Mapping[str, float]]:
    """The exact kernel that takes the least time, and the seconds of each that is there.

    On a CPU there is one, and nothing is measured.
    """
    if not device.startswith("cuda"):
        return PLAIN, {}
    seconds = {name: taken for name in EXACT if (taken := _seconds(name, shape, dtype, device)) is not None}
    chosen = min(seconds, key=seconds.__getitem__, default=PLAIN)
    told = ", ".join(f"{name} {1000 * taken:.1f} ms" for name, taken in sorted(seconds.items(), key=lambda e: e[1]))
    logger.info("attention by %s: %s for %s", chosen, told, shape)
    return chosen, seconds


def _seconds(name: str, shape: Shape, dtype: torch.dtype, device: str) -> float | None:
    """Of one pass; None for a kernel that is not there, or not for this device, dtype or size."""
    q = torch.randn(1, shape.queries, shape.heads, shape.head, dtype=dtype, device=device)
    k, v = (torch.randn(1, shape.keys, shape.heads, shape.head, dtype=dtype, device=device) for _ in range(2))
    try:
        EXACT[name](q, k, v)
        torch.cuda.synchronize(device)
        start = perf_counter()
        for _ in range(REPEATS):
            EXACT[name](q, k, v)
        torch.cuda.synchronize(device)
    except torch.OutOfMemoryError:
        raise
    except (ImportError, AttributeError, RuntimeError, TypeError, ValueError) as error:
        logger.info("attention: %s is not there: %s", name, error)
        return None
    return (perf_counter() - start) / REPEATS


def attend(kernel: Attention, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, heads: int) -> torch.Tensor:
    """Attention of tokens whose heads lie side by side: [batch, tokens, dim] each."""
    q, k, v = (each.view(*each.shape[:2], heads, -1) for each in (q, k, v))
    return kernel(q, k, v).flatten(2)
