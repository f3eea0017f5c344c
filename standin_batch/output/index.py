"""The index: one row for each finished video, made from the records alone."""

from __future__ import annotations

import json

from standin_batch.files import write_atomic
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import has_video, read_records


def write_index(layout: OutputLayout) -> int:
    """Write `index.jsonl` anew from the records whose videos exist; returns the number of rows."""
    rows = [json.dumps(record, ensure_ascii=False) for record in read_records(layout) if has_video(layout, record)]
    write_atomic(layout.index, "".join(f"{row}\n" for row in rows))
    return len(rows)
