"""Calls of the ffmpeg that comes with imageio-ffmpeg (there is no ffprobe with it).

What it is asked for, and what its answers mean, is the business of the modules that call it.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import IO

from standin_batch.errors import NotReadyError

FORMATS = (
    *("mov", "matroska", "webm", "avi", "mpeg", "mpegts", "mpegvideo", "flv", "ogg", "asf", "mxf", "nut", "dv", "ivf"),
    *("h264", "hevc", "m4v", "mjpeg", "obu", "av1", "yuv4mpegpipe", "gif", "apng", "webp_anim", "jpegxl_anim"),
    *("mp3", "wav", "flac", "aac"),
    *("png_pipe", "jpeg_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe", "gif_pipe"),
)
"""What a file may be: films, then sound and pictures, to say that they are no films. Each is whole in one file; lists
and scripts (`hls`, `dash`, `concat`, `sdp`, `image2`, ...) would open others, which nobody named and no digest has."""

MAX_PIXELS = 8192 * 8192
"""Of a frame; a manifest asks for no more, and a decoder keeps a dozen of them."""

TIMED_OUT = 124
"""The exit code of what took too long, as timeout(1) has it."""


class FfmpegKilledError(NotReadyError):
    """The system ended ffmpeg: the fault is the machine's, and may pass."""


def url(path: Path) -> str:
    """`path` as ffmpeg takes it for a file, whatever it holds: `-x.mp4`, `concat:a.mp4`, `100%d.mp4`."""
    return f"file:{path}"


def source(path: Path) -> list[str]:
    """Arguments that make `path` the next input, and it alone: no other file, no network, no frame out of bounds."""
    allowed = ["-protocol_whitelist", "file", "-format_whitelist", ",".join(FORMATS)]
    return [*allowed, "-max_pixels", str(MAX_PIXELS), "-i", url(path)]


def run(*arguments: str, seconds: float | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run ffmpeg to its end and keep what it printed; its exit code is left to the caller.

    In a process group of its own: an interrupt from the terminal must not make a good file look bad.

    Args:
        arguments: of ffmpeg.
        seconds: after which it is ended, and leaves with `TIMED_OUT`; never unless given.

    Raises:
        FfmpegKilledError: if the system ended it: what it was at may be a good file.
    """
    command = _command(arguments)
    try:
        ended = subprocess.run(
            command, stdin=DEVNULL, capture_output=True, check=False, start_new_session=True, timeout=seconds
        )
        check_alive(ended.returncode)
        return ended
    except subprocess.TimeoutExpired as late:
        said = (late.stderr or b"") + f"\nit took longer than {seconds:g} seconds".encode()
        return subprocess.CompletedProcess(command, TIMED_OUT, late.stdout or b"", said)


def check_alive(returncode: int) -> None:
    """Whether ffmpeg came to an end of its own.

    Raises:
        FfmpegKilledError: if not.
    """
    if returncode < 0:
        raise FfmpegKilledError(f"ffmpeg was ended by signal {-returncode}", "is memory short? `dmesg` may say so")


def start(*arguments: str, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start ffmpeg with its standard output as a pipe, and its messages in the file `errors`."""
    return subprocess.Popen(_command(arguments), stdin=DEVNULL, stdout=PIPE, stderr=errors, start_new_session=True)


def last_line(printed: bytes) -> str:
    """The last thing that ffmpeg said, which is most often why it ended."""
    lines = printed.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "ffmpeg says nothing"


def _command(arguments: tuple[str, ...]) -> list[str]:
    import imageio_ffmpeg

    return [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", *arguments]
