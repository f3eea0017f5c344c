"""Writing videos: mp4 by imageio-ffmpeg, with the job in the metadata."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from standin_batch.errors import StandinError
from standin_batch.files import replace_atomic

DEFAULT_QUALITY = 9


class VideoError(StandinError):
    """ffmpeg did not write a video."""


def write_video(
    path: Path,
    frames: np.ndarray,
    fps: float,
    *,
    quality: int = DEFAULT_QUALITY,
    lossless: bool = False,
    metadata: Mapping[str, Any],
) -> None:
    """Write `frames` to `path`, whole or not at all. The same arguments give the same bytes.

    Args:
        path: of the mp4.
        frames: uint8 [T, height, width, 3], RGB.
        fps: frames per second.
        quality: 1 to 10, as imageio's; ignored when lossless.
        lossless: H.264 in RGB without loss instead of yuv420p.
        metadata: written as JSON into the comment of the file.

    Raises:
        VideoError: if ffmpeg fails.
    """
    import imageio_ffmpeg

    _, height, width, _ = frames.shape
    codec = (
        {"codec": "libx264rgb", "pix_fmt_out": "rgb24", "quality": None}
        if lossless
        else {"codec": "libx264", "pix_fmt_out": "yuv420p", "quality": quality}
    )
    with replace_atomic(path) as temporary:
        writer = imageio_ffmpeg.write_frames(
            str(temporary),
            (width, height),
            fps=fps,
            macro_block_size=1,
            **codec,
            output_params=_parameters(metadata, lossless),
        )
        try:
            writer.send(None)
            for frame in np.ascontiguousarray(frames):
                writer.send(frame)
            writer.close()
        except OSError as error:
            raise _failed(path, str(error)) from error
        _check(path, temporary, len(frames))


def _check(path: Path, written: Path, length: int) -> None:
    """imageio-ffmpeg does not say how ffmpeg ended, so what it wrote is read again and counted.

    In a process group of its own: an interrupt from the terminal must not make a good video look bad.
    """
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-stats", "-i", str(written), "-f", "null", "-"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, start_new_session=True)
    counts = re.findall(rb"frame=\s*(\d+)", ended.stderr)
    if ended.returncode or not counts:
        raise _failed(path, "what it wrote is no video")
    if int(counts[-1]) != length:
        raise _failed(path, f"it wrote {int(counts[-1])} of {length} frames")


def _failed(path: Path, why: str) -> VideoError:
    return VideoError(f"ffmpeg could not write {path}: {why}", "is there room on the disk? The log has what it printed")


def _parameters(metadata: Mapping[str, Any], lossless: bool) -> list[str]:
    comment = json.dumps(metadata, sort_keys=True, ensure_ascii=False)
    # bitexact keeps versions and times out of the file; faststart lets players begin before the end has arrived.
    parameters = ["-metadata", f"comment={comment}", "-fflags", "+bitexact", "-movflags", "+faststart"]
    return [*parameters, "-qp", "0"] if lossless else parameters


def read_metadata(path: Path) -> dict[str, Any]:
    """The metadata that `write_video` put into `path`.

    Raises:
        VideoError: if there is none.
    """
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", "ffmetadata", "-"]
    printed = subprocess.run(command, capture_output=True, check=False).stdout.decode()
    for line in printed.splitlines():
        if line.startswith("comment="):
            return dict(json.loads(_unescape(line.removeprefix("comment="))))
    raise VideoError(f"{path} carries no job", "it was not written by standin, or re-encoded since")


def _unescape(text: str) -> str:
    """Undo ffmetadata's backslashes before `=`, `;`, `#` and backslash."""
    kept, escaped = [], False
    for character in text:
        if character == "\\" and not escaped:
            escaped = True
            continue
        kept.append(character)
        escaped = False
    return "".join(kept)
