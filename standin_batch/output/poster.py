"""Posters: one small picture for each video, of its middle frame. Where they are shown is another's business."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from standin_batch.errors import StandinError
from standin_batch.files import replace_atomic
from standin_batch.media.ffmpeg import last_line, run, source
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import has_video

MAX_WIDTH = 320
"""Pixels: a card's width on most screens. A clip of 832 x 480 gives about 8 kB."""

MAX_HEIGHT = 480
"""Pixels, for upright clips."""

QUALITY = 72
"""Of WebP, 0 to 100."""

WORKERS = 4
"""Decoders at a time: each is a process of its own that reads one frame."""

PATIENCE = 60.0
"""Seconds that one frame may take."""


class PosterError(StandinError):
    """There is no frame in a video to take the poster from."""


def write_poster(path: Path, frame: np.ndarray) -> None:
    """Write the poster at `path`, whole or not at all.

    Args:
        path: as `OutputLayout.poster` has it.
        frame: uint8 [height, width, 3], RGB: the middle one of the video.
    """
    with replace_atomic(path) as temporary:
        _small(Image.fromarray(frame)).save(temporary, format="WEBP", quality=QUALITY, method=4)


def make_posters(
    layout: OutputLayout, records: Iterable[Mapping[str, Any]], on_made: Callable[[int], None] = lambda made: None
) -> tuple[int, tuple[str, ...]]:
    """Write the poster of each video that has none.

    Args:
        layout: of the output folder.
        records: of finished jobs; one whose video is gone is passed over.
        on_made: is told after each poster how many there are.

    Returns:
        How many were made, and the ids of the jobs whose video cannot be read.
    """
    missing = [record for record in records if has_video(layout, record) and not _has_poster(layout, record)]
    made, unreadable = 0, []
    with ThreadPoolExecutor(WORKERS) as pool:
        tasks = {pool.submit(_make, layout, record): str(record["job_id"]) for record in missing}
        for task in as_completed(tasks):
            if task.exception() is None:
                made += 1
                on_made(made)
            elif isinstance(task.exception(), PosterError):
                unreadable.append(tasks[task])
            else:
                task.result()
    return made, tuple(sorted(unreadable))


def _has_poster(layout: OutputLayout, record: Mapping[str, Any]) -> bool:
    """Whether there is one that is no older than the video: a job that is done anew gets another."""
    poster, video = layout.poster(record["job_id"]), layout.folder / record["video"]
    return poster.is_file() and poster.stat().st_mtime >= video.stat().st_mtime


def _make(layout: OutputLayout, record: Mapping[str, Any]) -> None:
    write_poster(layout.poster(record["job_id"]), _middle_frame(layout.folder / record["video"], record))


def _middle_frame(video: Path, record: Mapping[str, Any]) -> np.ndarray:
    """The frame that `frames[len(frames) // 2]` was when the video was written; the first where nothing says."""
    frames, fps = record.get("num_frames"), record.get("fps")
    moment = 0.0
    if isinstance(frames, int) and isinstance(fps, (int, float)) and fps > 0:
        # ffmpeg gives the first frame that is not before this moment, so it lies between two of them.
        moment = max(0.0, (frames // 2 - 0.5) / fps)
    one = ("-map", "0:V:0", "-frames:v", "1", "-c:v", "ppm", "-f", "image2pipe", "-")
    ended = run("-v", "error", "-ss", f"{moment:.6f}", *source(video), *one, seconds=PATIENCE)
    if ended.returncode or not ended.stdout:
        raise PosterError(f"{video} gives no frame: {last_line(ended.stderr)}", "delete it, and run again")
    with Image.open(io.BytesIO(ended.stdout), formats=["PPM"]) as image:
        return np.array(image.convert("RGB"))


def _small(image: Image.Image) -> Image.Image:
    image.thumbnail((MAX_WIDTH, MAX_HEIGHT), Image.Resampling.LANCZOS)
    return image
