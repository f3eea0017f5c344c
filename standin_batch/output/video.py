"""Writing videos: mp4 by imageio-ffmpeg, with the job in the metadata and, if there is one, the sound of its source."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from standin_batch.errors import StandinError
from standin_batch.files import check_room, replace_atomic
from standin_batch.media.audio import audio_track
from standin_batch.media.ffmpeg import run, source, url
from standin_batch.media.rates import exact

DEFAULT_QUALITY = 9

BT709 = (
    *("-vf", "scale=out_color_matrix=bt709:out_range=tv", "-color_range", "tv"),
    *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
)
"""RGB to YUV by BT.709, and said so in the file: of an untagged file each player thinks what its size suggests."""
AUDIO_BITRATE = "192k"
PROBE_BYTES = 1 << 20
"""Written to see whether a disk is full when ffmpeg has failed."""


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
    audio: Path | None = None,
    may_go_on: Callable[[], None] = lambda: None,
) -> None:
    """Write `frames` to `path`, whole or not at all. The same arguments give the same bytes.

    Args:
        path: of the mp4.
        frames: uint8 [T, height, width, 3], RGB.
        fps: frames per second; 23.976 and the like are taken for the fractions that they stand for.
        quality: 1 to 10, as imageio's; ignored when lossless.
        lossless: H.264 in RGB without loss instead of yuv420p.
        metadata: written as JSON into the comment of the file.
        audio: a file whose first audio track is kept, cut to the length of the frames; as it is where mp4 takes it,
            otherwise as AAC. Nothing is kept of a file without one.
        may_go_on: is asked before the file gets its name; what it raises ends this.

    Raises:
        VideoError: if ffmpeg fails, or `audio` is not there.
    """
    import imageio_ffmpeg

    length, height, width, _ = frames.shape
    sound, sound_parameters = _sound(audio, length / exact(fps))
    codec = (
        {"codec": "libx264rgb", "pix_fmt_out": "rgb24", "quality": None}
        if lossless
        else {"codec": "libx264", "pix_fmt_out": "yuv420p", "quality": quality}
    )
    with replace_atomic(path) as temporary:
        writer = imageio_ffmpeg.write_frames(
            url(temporary),
            (width, height),
            macro_block_size=1,
            **_pace(exact(fps)),
            **codec,
            **sound,
            output_params=_parameters(metadata, lossless) + sound_parameters,
        )
        try:
            _send(writer, frames, path)
            _check(path, temporary, length)
        except VideoError:
            # ffmpeg says in its own words, or not at all, that the disk is full.
            check_room(path.parent, max(PROBE_BYTES, _size(temporary)))
            raise
        may_go_on()


def _send(writer: Generator[None, object, None], frames: np.ndarray, path: Path) -> None:
    try:
        writer.send(None)
        for frame in np.ascontiguousarray(frames):
            writer.send(frame)
        writer.close()
    except OSError as error:
        raise _failed(path, str(error)) from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _pace(rate: Fraction) -> dict[str, Any]:
    """What imageio-ffmpeg is told of the rate: 0.6 rounds it to two digits, and of a second `-r` ffmpeg warns."""
    if (rate * 100).denominator == 1:
        return {"fps": float(rate)}
    return {"fps": float(rate), "input_params": ["-r", str(rate)], "ffmpeg_log_level": "error"}


def _sound(audio: Path | None, seconds: Fraction) -> tuple[dict[str, str], list[str]]:
    """What imageio-ffmpeg and ffmpeg are told of the sound.

    Chapters and titles of the source stay out: they would tell of another video. The moment after the last frame
    ends the file: it cuts sound that lasts longer, and no frame.
    """
    if audio is not None and not audio.is_file():
        raise VideoError(f"there is no {audio} to take the sound from", "put it back, and run again")
    track = None if audio is None else audio_track(audio)
    if audio is None or track is None:
        return {}, []
    codec = ["copy"] if track.fits_mp4() else ["aac", "-b:a", AUDIO_BITRATE, "-flags:a", "+bitexact"]
    cut = ["-map_chapters", "-1", "-map_metadata:s:a", "-1", "-t", f"{float(seconds):.6f}"]
    return {"audio_path": url(audio)}, ["-c:a", *codec, *cut]


def _check(path: Path, written: Path, length: int) -> None:
    """imageio-ffmpeg does not say how ffmpeg ended, so what it wrote is read again and counted."""
    ended = run("-v", "error", "-stats", *source(written), "-f", "null", "-")
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
    return [*parameters, "-qp", "0"] if lossless else [*parameters, *BT709]


def read_metadata(path: Path) -> dict[str, Any]:
    """The metadata that `write_video` put into `path`.

    Raises:
        VideoError: if there is none.
    """
    printed = run("-v", "error", *source(path), "-f", "ffmetadata", "-").stdout.decode()
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
