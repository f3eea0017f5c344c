"""DiffSynth's import, without the compiler that it brings along for an attention which no model here has.

DiffSynth has FlexAttention compiled when it is imported, and for that torch imports all of Dynamo and Inductor: about a
quarter of what importing DiffSynth costs. Here that waits until somebody calls it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial, wraps
from typing import Any

import torch

from standin_batch.engine.quiet import to_log


def import_diffsynth() -> None:
    """Import what the engine has of DiffSynth; nothing happens if somebody has imported it before."""
    if "diffsynth" not in sys.modules:
        with to_log(), _uncompiled():
            import diffsynth.pipelines.wan_video  # noqa: F401


@contextmanager
def _uncompiled() -> Iterator[None]:
    """Within the block, what is to be compiled is compiled when it is called for the first time."""
    compiling = torch.compile
    torch.compile = partial(_later, compiling)
    try:
        yield
    finally:
        torch.compile = compiling


def _later(compiling: Callable[..., Any], function: Callable[..., Any] | None = None, **options: Any) -> Any:  # noqa: ANN401
    if function is None:  # called as a decorator with options
        return partial(_later, compiling, **options)
    compiled = cache(partial(compiling, function, **options))
    return wraps(function)(lambda *arguments, **named: compiled()(*arguments, **named))
