"""Calls of the ffmpeg that comes with imageio-ffmpeg (there is no ffprobe with it).

What it is asked for, and what its answers mean, is the business of the modules that call it.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import IO


def url(path: Path) -> str:
    """`path` as ffmpeg takes it for a file, whatever it holds: `-x.mp4`, `concat:a.mp4`, `100%d.mp4`."""
    return f"file:{path}"


def source(path: Path) -> list[str]:
    """Arguments that make `path` the next input; a playlist in it reaches nothing but files."""
    return ["-protocol_whitelist", "file", "-i", url(path)]


def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run ffmpeg to its end and keep what it printed; its exit code is left to the caller.

    In a process group of its own: an interrupt from the terminal must not make a good file look bad.
    """
    return subprocess.run(_command(arguments), stdin=DEVNULL, capture_output=True, check=False, start_new_session=True)


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
