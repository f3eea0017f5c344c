"""Where the prepared subject of a finished clip lies, by what its record says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from standin_batch.fingerprint import digest
from standin_batch.job import Subject
from standin_batch.output.layout import OutputLayout
from standin_batch.run.subjects import PREPARATION
from standin_batch.weights.content import FACE


def subject_file(layout: OutputLayout, row: Mapping[str, Any]) -> Path | None:
    """The picture as the model saw it, 512 x 512; None without identity, or where it is gone.

    Args:
        layout: of the output folder.
        row: of the index.
    """
    if row["identity_sha256"] is None or row["identity_kind"] not in ("face", "subject"):
        return None
    subject = Subject(
        row["identity"] or "", Path(), row["identity_kind"], row["identity_on_no_face"], row["identity_sha256"]
    )
    face = json.loads(row["weights"] or "{}").get(FACE)
    path = layout.subjects / f"{digest([PREPARATION, subject.fingerprint(), face])[:16]}.png"
    return path if path.is_file() else None
