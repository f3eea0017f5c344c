"""The blocks of a transformer, compiled: one graph a shape for all blocks of all experts, kept across runs.

Rounding differs from that of the uncompiled blocks, so a job says that it wants it. Shapes are compiled as they are
and never made symbolic: what a job computes would depend on the shapes before it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import torch

from standin_batch.engine.dit.block import run_block

GRAPHS = 512
"""At most: beyond its limit the compiler would go on without compiling, and say so in a log only."""


@lru_cache(maxsize=1)
def compiled_block(cache: Path) -> Callable[..., torch.Tensor]:
    """`run_block`, compiled for each shape when that comes first.

    Args:
        cache: folder for what was compiled, for this run and later ones.
    """
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache))
    torch._dynamo.config.recompile_limit = GRAPHS
    torch._dynamo.config.accumulated_recompile_limit = GRAPHS
    return torch.compile(run_block, dynamic=False)
