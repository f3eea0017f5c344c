"""What the files of a test hold, for expanding manifests: real digests, weights named after their model."""

from __future__ import annotations

from standin_batch.files import sha256_file
from standin_batch.media.video import VideoInfo

VIDEO = VideoInfo(width=832, height=480, num_frames=81, fps=25.0)


class Contents:
    """Files are what they are on disk; every video has the size, length and rate given here."""

    def __init__(self, video=VIDEO):
        self._video = video

    def file(self, path):
        return sha256_file(path)

    def video(self, path):
        return self._video

    def weights(self, model, modules=()):
        return {part: f"{model}/{part}" for part in ("base", "adapter", "face", "embedder", *modules)}
