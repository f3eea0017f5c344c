"""The frames of a video at the size, length and rate that it is fitted to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from standin_batch.media.sizing import MULTIPLE, Fitted, frame_indices
from standin_batch.media.video import Frame, VideoInfo, read_frames

Clip = npt.NDArray[np.uint8]


def load_clip(path: Path, info: VideoInfo, width: int, height: int, num_frames: int, fps: float) -> Clip:
    """The first `num_frames` of the video at `path`, sampled at `fps`, fitted to `width` x `height`.

    Args:
        path: of the video.
        info: what `probe_video` says about it.
        width: in pixels.
        height: in pixels.
        num_frames: how many.
        fps: frames per second.

    Returns:
        uint8 [num_frames, height, width, 3], RGB.

    Raises:
        VideoInputError: if the video is shorter, or cannot be read.
    """
    indices = frame_indices(info, Fitted(width, height, num_frames, fps, ()))
    clip = np.empty((num_frames, height, width, 3), np.uint8)
    for number, frame in enumerate(_picked(path, info, indices)):
        clip[number] = fit_frame(frame, width, height)
    return clip


def sample_clip(
    path: Path, info: VideoInfo, width: int, height: int, num_frames: int, fps: float, samples: int
) -> Iterator[Frame]:
    """At most `samples` of the frames that `load_clip` gives, evenly spread from the first to the last.

    Raises:
        VideoInputError: if the video is shorter, or cannot be read.
    """
    indices = frame_indices(info, Fitted(width, height, num_frames, fps, ()))
    places = dict.fromkeys(round(place) for place in np.linspace(0, num_frames - 1, min(samples, num_frames)))
    for frame in _picked(path, info, [indices[place] for place in places]):
        yield fit_frame(frame, width, height)


def fit_frame(frame: Frame, width: int, height: int) -> Frame:
    """A frame at another size, its middle kept.

    Less than 16 pixels too much is cut off, as Stand-In's `load_video_as_list` does it (`pipelines/wan_video.py`), so
    that no pixel changes. Anything else is scaled to cover the size first.

    Args:
        frame: uint8 [h, w, 3].
        width: in pixels.
        height: in pixels.

    Returns:
        uint8 [height, width, 3].
    """
    h, w = frame.shape[:2]
    if not (0 <= w - width < MULTIPLE and 0 <= h - height < MULTIPLE):
        frame = _covering(frame, width, height)
        h, w = frame.shape[:2]
    left, top = (w - width) // 2, (h - height) // 2
    return frame[top : top + height, left : left + width]


def _covering(frame: Frame, width: int, height: int) -> Frame:
    import cv2

    h, w = frame.shape[:2]
    scale = max(width / w, height / h)
    size = max(round(w * scale), width), max(round(h * scale), height)
    scaled: Frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return scaled


def _picked(path: Path, info: VideoInfo, indices: list[int]) -> Iterator[Frame]:
    """The frames at `indices`, which never fall; no more is decoded than they need."""
    with contextlib.closing(read_frames(path, info)) as frames:
        at, frame = -1, np.empty(0, np.uint8)
        for index in indices:
            while at < index:
                at, frame = at + 1, next(frames)
            yield frame
