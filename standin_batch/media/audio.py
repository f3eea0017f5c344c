"""The sound of a file, as far as a video needs it: is there any, and may mp4 hold it as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from standin_batch.media.ffmpeg import run, source

KEPT = ("aac", "ac3", "mp3")
SLOWEST_MP3 = 16000
"""Hz; below, mp3 is MPEG-2.5, which ffmpeg does not put into mp4."""


@dataclass(frozen=True)
class AudioTrack:
    """The first audio track of a file.

    Attributes:
        codec: ffmpeg's name of it.
        sample_rate: in Hz; 0 where the file does not say.
    """

    codec: str
    sample_rate: int

    def fits_mp4(self) -> bool:
        """Whether players take it in an mp4 as it is."""
        return self.codec in KEPT and (self.codec != "mp3" or self.sample_rate >= SLOWEST_MP3)


def audio_track(path: Path) -> AudioTrack | None:
    """The first audio track of the file at `path`; None where it has none, or one that ffmpeg does not know."""
    ended = run("-v", "error", *source(path), "-map", "0:a:0", "-c", "copy", "-frames:a", "1", "-f", "framecrc", "-")
    header = dict(re.findall(r"^#(\w+) 0: (.*)$", ended.stdout.decode(errors="replace"), re.MULTILINE))
    if ended.returncode or "codec_id" not in header:
        return None
    return AudioTrack(header["codec_id"], int(header.get("sample_rate", 0)))
