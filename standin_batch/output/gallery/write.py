"""Writing the gallery: from the records alone, and what the caller knows of jobs that failed."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from standin_batch.files import replace_atomic, write_atomic
from standin_batch.output.failed import FailedJob
from standin_batch.output.gallery.columns import Columns
from standin_batch.output.gallery.page import news, page, safe_json
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import has_video, read_records
from standin_batch.output.subject_key import recorded_key


def write_gallery(
    layout: OutputLayout,
    failures: Sequence[FailedJob],
    *,
    running: bool,
    done: int | None = None,
    total: int | None = None,
    now: float | None = None,
) -> int:
    """Write the gallery anew from the records whose videos exist, and tell pages that are open.

    Args:
        layout: of the output folder.
        failures: jobs that failed and are not done.
        running: whether a run is at work: then the page looks for a newer one every few seconds.
        done: jobs of the manifest that are; a job may have made several videos, and take one of them.
        total: jobs of the manifest; None where that is not known.
        now: seconds since 1970; the clock's unless given. A later page has a later one.

    Returns:
        How many videos it shows.
    """
    columns = _columns(layout)
    told = {
        "version": int((time.time() if now is None else now) * 1000),
        "running": running,
        "completed": columns.rows,
        "failed": len(failures),
        "done": done,
        "total": total,
    }
    name = layout.folder.resolve().name
    with replace_atomic(layout.gallery) as temporary, temporary.open("w", encoding="utf-8", errors="replace") as file:
        file.writelines(page(f"{name} · gallery", _data({"name": name, **told}, columns, failures), running=running))
    # After the page: who hears of a newer one finds it.
    write_atomic(layout.gallery_news, news(told))
    return columns.rows


def _columns(layout: OutputLayout) -> Columns:
    columns = Columns()
    posters, subjects = _names(layout.posters), _names(layout.subjects)
    for record in read_records(layout):
        if has_video(layout, record):
            columns.add(record, _pictures(layout, record, posters, subjects))
    return columns


def _pictures(
    layout: OutputLayout, record: dict[str, Any], posters: Collection[str], subjects: Collection[str]
) -> dict[str, str | bool | None]:
    """Pictures that are there: a page that asked for others would have errors."""
    key = recorded_key(record)
    reference = f"{layout.relative(layout.subjects)}/{key}.png" if f"{key}.png" in subjects else None
    return {"has_poster": f"{record['job_id']}.webp" in posters, "reference": reference}


def _names(folder: Path) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))  # noqa: PTH208 - a Path for each of 100,000 costs as much again
    except OSError:
        return frozenset()


def _data(head: dict[str, Any], columns: Columns, failures: Sequence[FailedJob]) -> Iterator[str]:
    """The data of the page as pieces of JSON, one column at a time."""
    yield f'{{"head":{safe_json(head)},"failed":{safe_json([_plain(failure) for failure in failures])},"columns":['
    for number, column in enumerate(columns.encoded()):
        yield f"{',' if number else ''}{safe_json(column)}"
    yield "]}"


def _plain(failure: FailedJob) -> dict[str, Any]:
    return {
        key: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for key, value in asdict(failure).items()
    }
