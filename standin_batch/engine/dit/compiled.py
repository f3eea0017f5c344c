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


CACHE = "TORCHINDUCTOR_CACHE_DIR"
"""Where a user says where compiled kernels are kept."""


@lru_cache(maxsize=1)
def compiled_block(cache: Path) -> Callable[..., torch.Tensor]:
    """`run_block`, compiled for each shape when that comes first.

    Args:
        cache: folder for what was compiled, for this run and later ones.
    """
    from torch._inductor.runtime.cache_dir_utils import default_cache_dir  # and the whole compiler with it

    # Torch writes its own choice there as soon as it is imported; only another one is the user's.
    if os.environ.get(CACHE, default_cache_dir()) == default_cache_dir():
        os.environ[CACHE] = str(cache)
    torch._dynamo.config.recompile_limit = GRAPHS
    torch._dynamo.config.accumulated_recompile_limit = GRAPHS
    return torch.compile(run_block, dynamic=False)
