"""What size, length and rate a generated video takes from the one that controls it: arithmetic, no files.

Wan's sizes are multiples of 16 (8 of the VAE, 2 of the patches) and its lengths 4n + 1 (the VAE's first frame stands
alone). A video that people bring is neither, so it is cut to both; what a job writes itself wins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from standin_batch.media.rates import exact
from standin_batch.media.video import VideoInfo, VideoInputError

MULTIPLE = 16
TEMPORAL = 4


@dataclass(frozen=True)
class Fitted:
    """Size, length and rate of the video to make.

    Attributes:
        width: in pixels.
        height: in pixels.
        num_frames: how many.
        fps: frames per second.
        changes: what a cap changed, in words.
    """

    width: int
    height: int
    num_frames: int
    fps: float
    changes: tuple[str, ...]


def fit(
    info: VideoInfo,
    *,
    width: int | None = None,
    height: int | None = None,
    num_frames: int | None = None,
    fps: float | None = None,
    max_frames: int | None = None,
    max_pixels: int | None = None,
) -> Fitted:
    """Size, length and rate for a video that is controlled by the one of `info`.

    Args:
        info: of the video that controls.
        width: a multiple of 16. Where only one side is given the other follows the video's aspect.
        height: likewise.
        num_frames: 4n + 1, at most as many as the video has at `fps`.
        fps: where it is not the video's own, the video is sampled at that rate and keeps its speed.
        max_frames: caps a length that is not given; at least 1.
        max_pixels: caps width times height where neither is given; the aspect is kept.

    Raises:
        VideoInputError: if the video is smaller than 16 pixels, shorter than `num_frames`, so long that its end was
            not looked for and nothing caps it, or cannot be as small as `max_pixels`.
    """
    if min(info.width, info.height) < MULTIPLE:
        raise VideoInputError(f"the video has {info.width} x {info.height} pixels", "it takes at least 16 x 16")
    rate = info.fps if fps is None else fps
    size, scaled = _size(info, width, height, max_pixels)
    length, cut = _length(info, rate, num_frames, max_frames)
    return Fitted(*size, length, rate, scaled + cut)


def frame_indices(info: VideoInfo, fitted: Fitted) -> list[int]:
    """Which frame of the video each frame of the fitted one shows: the one on the screen at that time.

    Raises:
        VideoInputError: if the video ends before.
    """
    if fitted.num_frames > (available := frames_at(info, fitted.fps)):
        raise _too_short(info, fitted.fps, fitted.num_frames, available)
    step = exact(info.fps) / exact(fitted.fps)
    return [math.floor(number * step) for number in range(fitted.num_frames)]


def frames_at(info: VideoInfo, fps: float) -> int:
    """How many frames the video has when it is sampled `fps` times a second."""
    return math.ceil(info.num_frames * exact(fps) / exact(info.fps))


def _size(
    info: VideoInfo, width: int | None, height: int | None, max_pixels: int | None
) -> tuple[tuple[int, int], tuple[str, ...]]:
    aspect = Fraction(info.width, info.height)
    if width is not None or height is not None:
        return (width or _nearest((height or 0) * aspect), height or _nearest((width or 0) / aspect)), ()
    own = _floor(info.width), _floor(info.height)
    if max_pixels is None or own[0] * own[1] <= max_pixels:
        return own, ()
    size = _within(info, max_pixels)
    return size, (f"scaled from {info.width} x {info.height} to {size[0]} x {size[1]} (max_pixels)",)


def _within(info: VideoInfo, max_pixels: int) -> tuple[int, int]:
    """The largest size of the same aspect, down to multiples of 16; a side of 16 leaves the rest to the other one."""
    if max_pixels < MULTIPLE**2:
        raise VideoInputError(f"no video has {max_pixels} pixels", f"max_pixels is at least {MULTIPLE**2}")
    width = _floor(math.isqrt(info.width * max_pixels // info.height))
    height = _floor(math.isqrt(info.height * max_pixels // info.width))
    room = _floor(max_pixels // MULTIPLE)
    return min(max(width, MULTIPLE), room), min(max(height, MULTIPLE), room)


def _length(
    info: VideoInfo, rate: float, num_frames: int | None, max_frames: int | None
) -> tuple[int, tuple[str, ...]]:
    available = frames_at(info, rate)
    if num_frames is not None:
        if num_frames > available:
            raise _too_short(info, rate, num_frames, available)
        return num_frames, ()
    if max_frames is None and info.goes_on:
        raise VideoInputError(f"the video has {_many(info)}, too many for one clip", "write `max_frames: 81`, or so")
    own = _whole(available)
    if max_frames is None or own <= max_frames:
        return own, ()
    at = f" at {rate:g} fps" if exact(rate) != exact(info.fps) else ""
    more = " or more" if info.goes_on else ""
    return _whole(max_frames), (f"cut from {available}{more} to {_whole(max_frames)} frames{at} (max_frames)",)


def _too_short(info: VideoInfo, rate: float, wanted: int, available: int) -> VideoInputError:
    at = f" at {rate:g} fps" if exact(rate) != exact(info.fps) else ""
    if info.goes_on:
        message = f"the video has {_many(info)}; only so many are looked at, which are {available}{at}, not {wanted}"
        return VideoInputError(message, f"write `num_frames: {_whole(available)}`, or fewer")
    return VideoInputError(
        f"the video has {available} frames{at}, not {wanted}",
        f"write `num_frames: {_whole(available)}`, or leave it out",
    )


def _many(info: VideoInfo) -> str:
    return f"{info.num_frames:,} frames or more"


def _whole(frames: int) -> int:
    return (frames - 1) // TEMPORAL * TEMPORAL + 1


def _floor(side: int) -> int:
    return side // MULTIPLE * MULTIPLE


def _nearest(side: Fraction) -> int:
    return max(math.floor(side / MULTIPLE + Fraction(1, 2)) * MULTIPLE, MULTIPLE)
