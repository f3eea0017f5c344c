"""Videos that people bring: what they are, and their frames one by one, as a player shows them.

Any container and codec that ffmpeg reads, and animated pictures. The frames come at one constant rate, turned as the
file says, with square pixels. Which of them are used, and at what size, is decided in `sizing` and done in `clip`.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Generator
from dataclasses import dataclass, replace
from fractions import Fraction
from io import BufferedReader
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from standin_batch.errors import StandinError
from standin_batch.media.ffmpeg import MAX_PIXELS, check_alive, last_line, run, source, start
from standin_batch.media.rates import exact

Frame = npt.NDArray[np.uint8]

FIRST_VIDEO = ("-map", "0:V:0")
"""With a capital V: the cover of a song is no video."""

STILL_BRANDS = (b"avif", b"heic", b"heix", b"mif1")
"""Of the file types that ffmpeg takes for a film and that hold one picture (ISO/IEC 23008-12)."""

CUT_SHORT = b"partial file"
NAMES_OTHERS = b"not on whitelist"
TOO_LARGE = b"exceeds specified max pixel count"

LONGEST = 5_000
"""Frames of a video that are looked at: minutes, where Wan makes seconds. Of ten hours the rest is never read."""
PATIENCE = 300.0
"""Seconds that ffmpeg may take for them."""

RATE_TOLERANCE = 0.05
SQUARE_TOLERANCE = 0.01


class VideoInputError(StandinError):
    """A video that somebody brought cannot be used."""


@dataclass(frozen=True)
class VideoInfo:
    """What a video is, as `read_frames` gives it.

    Attributes:
        width: in pixels, as shown.
        height: in pixels, as shown.
        num_frames: how many frames there are at the constant rate; counted, not taken from the container, and no
            further than `LONGEST`.
        fps: frames per second; `rates.exact` gives it as a fraction.
    """

    width: int
    height: int
    num_frames: int
    fps: float

    @property
    def goes_on(self) -> bool:
        """Whether there may be more frames than were counted."""
        return self.num_frames >= LONGEST


def probe_video(path: Path) -> VideoInfo:
    """Decode the video at `path` once, as far as `LONGEST`, to find out what it is.

    A video of variable frame rate is taken at the rate that its file names, or its mean if that is over 5 % away.

    Raises:
        VideoInputError: if it is missing, damaged, a picture, sound only, no file, or names other files.
    """
    if not path.exists():
        raise VideoInputError(f"there is no video {path}")
    if not path.is_file():  # ffmpeg would wait for somebody to write into a pipe
        raise VideoInputError(f"the video {path} cannot be read: it is no regular file", "name a file")
    if _is_still(path):
        raise _picture(path)
    info = _first_look(path)
    counting = ("-frames:v", str(LONGEST), "-f", "null", "-progress", "pipe:1", "-")
    ended = run("-v", "error", *_decoding(path, info), *counting, seconds=PATIENCE)
    counts = re.findall(rb"^frame=\s*(\d+)", ended.stdout, re.MULTILINE)
    if ended.returncode or not counts or not int(counts[-1]) or CUT_SHORT in ended.stderr:
        raise _unreadable(path, ended.stderr)
    return replace(info, num_frames=int(counts[-1]))


def read_frames(path: Path, info: VideoInfo) -> Generator[Frame, None, None]:
    """The frames of the video at `path`, in order; closing the iterator ends ffmpeg.

    Args:
        path: of the video.
        info: what `probe_video` says about it.

    Yields:
        uint8 [height, width, 3], RGB; `info.num_frames` of them.

    Raises:
        VideoInputError: if there are fewer: the file is gone, or no longer what it was.
    """
    with tempfile.TemporaryFile() as errors:
        process = start(
            "-v", "error", *_decoding(path, info), "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1", errors=errors
        )
        pipe = cast(BufferedReader, process.stdout)
        try:
            for number in range(info.num_frames):
                frame = np.empty((info.height, info.width, 3), np.uint8)
                if pipe.readinto(frame.data) != frame.nbytes:
                    check_alive(process.wait())
                    errors.seek(0)
                    raise VideoInputError(
                        f"{path} ends after {number} of {info.num_frames} frames: {last_line(errors.read())}",
                        "did it change since it was first read?",
                    )
                yield frame
        finally:
            process.kill()
            pipe.close()
            process.wait()


def _decoding(path: Path, info: VideoInfo) -> list[str]:
    """Arguments that decode the video at one rate and one size, also where either changes on the way."""
    size, rate = f"{info.width}x{info.height}", str(exact(info.fps))
    return [*source(path), *FIRST_VIDEO, "-s", size, "-r", rate, "-fps_mode", "cfr"]


def _first_look(path: Path) -> VideoInfo:
    """Everything about a video that its first frame tells; framecrc's header is the one exact thing ffmpeg prints."""
    first = ("-frames:v", "1", "-fps_mode", "cfr", "-f", "framecrc", "pipe:1")
    ended = run("-v", "info", *source(path), *FIRST_VIDEO, *first, seconds=PATIENCE)
    header = dict(re.findall(rb"^#(\w+) 0: (\S+)$", ended.stdout, re.MULTILINE))
    kind = re.search(rb"^Input #0, (\S+), from", ended.stderr, re.MULTILINE)
    if kind and kind[1].endswith((b"_pipe", b"image2")):
        raise _picture(path)
    if ended.returncode or b"dimensions" not in header:
        raise _unreadable(path, ended.stderr)
    width, height = (int(side) for side in header[b"dimensions"].split(b"x"))
    fps = _rate(1 / Fraction(header[b"tb"].decode()), ended.stderr)
    return VideoInfo(_shown(width, header.get(b"sar", b"1/1")), height, 0, float(fps))


def _rate(nominal: Fraction, log: bytes) -> Fraction:
    """The rate that the file names, unless the frames come slower: their mean then shows the fewest of them twice."""
    found = re.search(rb"^\s+Stream #0:(?!.*attached pic).*Video: .*? ([\d.]+) fps", log, re.MULTILINE)
    if found is None or not float(found[1]) or abs(float(found[1]) / nominal - 1) < RATE_TOLERANCE:
        return exact(nominal)
    return exact(float(found[1]))


def _shown(width: int, sample_aspect: bytes) -> int:
    """The width on a screen, whose pixels are square; cameras on tape write them narrow or wide."""
    across, down = (int(side) for side in sample_aspect.split(b"/"))
    if not across or not down or abs(across / down - 1) < SQUARE_TOLERANCE:
        return width
    return max(round(width * across / down), 1)


def _is_still(path: Path) -> bool:
    with path.open("rb") as file:
        start_of_file = file.read(12)
    return start_of_file[4:8] == b"ftyp" and start_of_file[8:] in STILL_BRANDS


def _picture(path: Path) -> VideoInputError:
    return VideoInputError(f"{path} is a picture, not a video", "use mp4, mov, mkv, webm or an animated GIF")


def _unreadable(path: Path, log: bytes) -> VideoInputError:
    if b"matches no streams" in log:
        return VideoInputError(f"{path} holds no video, only sound or text", "use mp4, mov, mkv, webm or GIF")
    if CUT_SHORT in log:
        return VideoInputError(f"the video {path} is cut short", "copy or download it again")
    if TOO_LARGE in log:
        what = f"its frames have more than {MAX_PIXELS:,} pixels"
        return VideoInputError(f"the video {path} cannot be read: {what}", "make it smaller")
    if NAMES_OTHERS in log:
        what = "it is of a kind that is not read here, such as a list of other files"
        return VideoInputError(f"the video {path} cannot be read: {what}", "name the video itself; mp4 (H.264) is best")
    return VideoInputError(
        f"the video {path} cannot be read: {last_line(log)}", "does it play? Export it as mp4 (H.264), or copy it again"
    )
