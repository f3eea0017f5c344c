"""The table of base models: a new base model is a new row, not new code.

A row says which files a model is made of, how DiffSynth recognises them, and what its makers recommend. It is data:
nothing here looks at a disk or imports torch. The rows themselves are in `rows_14b`, `rows_tiny` and `rows_demo`.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from standin_batch.errors import UsageError
from standin_batch.weights.model_row import Expert, ModelRow, Module
from standin_batch.weights.rows_14b import ROWS_14B, VACE
from standin_batch.weights.rows_demo import DEMO_ROWS
from standin_batch.weights.rows_tiny import TINY_ROWS
from standin_batch.weights.sizes import Sizes

__all__ = ["ROWS", "VACE", "Expert", "ModelRow", "Module", "Sizes", "row"]

ROWS: Mapping[str, ModelRow] = MappingProxyType({row.name: row for row in (*TINY_ROWS, *DEMO_ROWS, *ROWS_14B)})


def row(name: str) -> ModelRow:
    """The row called `name`.

    Raises:
        UsageError: if there is none.
    """
    if name in ROWS:
        return ROWS[name]
    near = get_close_matches(name, ROWS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known models: {', '.join(ROWS)}"
    raise UsageError(f"there is no model {name!r}", hint)
