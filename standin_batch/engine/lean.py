"""DiffSynth's import, without the compiler that it brings along for an attention which no model here has.

DiffSynth has FlexAttention compiled when it is imported, and for that torch imports all of Dynamo and Inductor: about a
quarter of what importing DiffSynth costs. What compiles in earnest imports them when it does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch


def import_diffsynth() -> None:
    """Import what the engine has of DiffSynth; nothing happens if somebody has imported it before."""
    if "diffsynth" not in sys.modules:
        with _uncompiled():
            import diffsynth.pipelines.wan_video  # noqa: F401


@contextmanager
def _uncompiled() -> Iterator[None]:
    """Within the block, what is to be compiled stays as it is: slower, and the same."""
    compiling = torch.compile
    torch.compile = _as_it_is  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.compile = compiling


def _as_it_is(function: Callable[..., Any] | None = None, **_options: object) -> Any:  # noqa: ANN401
    return _as_it_is if function is None else function
