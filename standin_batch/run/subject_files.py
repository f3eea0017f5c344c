"""Where the prepared subject of a finished clip lies, by its row in the index."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from standin_batch.output.layout import OutputLayout
from standin_batch.output.subject_key import recorded_key


def subject_file(layout: OutputLayout, row: Mapping[str, Any]) -> Path | None:
    """The picture as the model saw it, 512 x 512; None without identity, or where it is gone.

    Args:
        layout: of the output folder.
        row: of the index.
    """
    key = recorded_key({**row, "weights": json.loads(row["weights"] or "{}")})
    path = layout.subjects / f"{key}.png"
    return path if key is not None and path.is_file() else None
