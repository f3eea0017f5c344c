"""Clips: frames of a control video at the size, length and rate of the job."""

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from standin_batch.media.clip import fit_frame, load_clip, sample_clip
from standin_batch.media.sizing import fit
from standin_batch.media.video import VideoInputError, probe_video

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "inputs" / "control.mp4"
LENGTH = 12


@pytest.fixture
def numbered(tmp_path):
    """A video whose frame n has the grey 20 n, 24 a second, 40 x 32."""
    levels = np.arange(LENGTH, dtype=np.uint8) * 20
    frames = np.broadcast_to(levels[:, None, None, None], (LENGTH, 32, 40, 3))
    path = tmp_path / "numbered.mp4"
    raw = [
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        "40x32",
        "-r",
        "24",
        "-i",
        "-",
        "-c:v",
        "libx264rgb",
        "-qp",
        "0",
    ]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *raw, str(path)]
    subprocess.run(command, input=frames.tobytes(), check=True)
    return path


def shown(clip):
    """Which frame of the numbered video each frame of `clip` is."""
    assert (clip == clip[:, :1, :1, :1]).all()
    return (clip[:, 0, 0, 0] // 20).tolist()


def test_the_golden_control_video_is_cut_from_its_middle_to_the_bit():
    info = probe_video(GOLDEN)
    fitted = fit(info)
    assert (fitted.width, fitted.height, fitted.num_frames, fitted.fps) == (160, 96, 13, 16.0)
    reader = imageio_ffmpeg.read_frames(str(GOLDEN))
    next(reader)
    whole = np.stack([np.frombuffer(frame, np.uint8).reshape(100, 170, 3) for frame in reader])
    clip = load_clip(GOLDEN, info, 160, 96, 13, 16.0)
    assert clip.dtype == np.uint8
    assert np.array_equal(clip, whole[:13, 2:98, 5:165])


@pytest.mark.parametrize(
    ("num_frames", "fps", "expected"),
    [
        (12, 24.0, list(range(12))),
        (5, 24.0, [0, 1, 2, 3, 4]),
        (5, 12.0, [0, 2, 4, 6, 8]),
        (5, 48.0, [0, 0, 1, 1, 2]),
        (5, 16.0, [0, 1, 3, 4, 6]),
    ],
)
def test_the_frames_are_those_on_the_screen_at_their_time(numbered, num_frames, fps, expected):
    assert shown(load_clip(numbered, probe_video(numbered), 32, 32, num_frames, fps)) == expected


@pytest.mark.parametrize(
    ("samples", "expected"),
    [(1, [0]), (2, [0, 8]), (3, [0, 4, 8]), (5, [0, 2, 4, 6, 8]), (9, list(range(9))), (32, list(range(9)))],
)
def test_samples_are_spread_from_the_first_frame_to_the_last(numbered, samples, expected):
    found = sample_clip(numbered, probe_video(numbered), 32, 32, 9, 24.0, samples)
    assert shown(np.stack(list(found))) == expected


def test_a_video_that_ends_before_is_an_error(numbered):
    with pytest.raises(VideoInputError, match="has 12 frames, not 13"):
        load_clip(numbered, probe_video(numbered), 32, 32, 13, 24.0)


@pytest.mark.parametrize("size", [(16, 16), (80, 64), (160, 32), (16, 128)])
def test_any_size_is_covered(numbered, size):
    clip = load_clip(numbered, probe_video(numbered), *size, 5, 24.0)
    assert clip.shape == (5, size[1], size[0], 3)
    assert shown(clip) == [0, 1, 2, 3, 4]


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), [(32, 48), (33, 49), (47, 63), (32, 63)])
def test_less_than_16_pixels_too_much_are_cut_off_and_no_pixel_changes(height, width):
    frame = noise(height, width)
    top, left = (height - 32) // 2, (width - 48) // 2
    assert np.array_equal(fit_frame(frame, 48, 32), frame[top : top + 32, left : left + 48])


@pytest.mark.parametrize(("height", "width"), [(48, 64), (96, 128), (31, 48), (32, 47), (200, 50), (17, 300)])
def test_anything_else_is_scaled_to_cover_and_keeps_its_middle(height, width):
    """A white bar across the middle stays in the middle and keeps its share."""
    y = np.arange(height)[:, None] + np.zeros((1, width))
    across = np.abs(y - (height - 1) / 2) <= height / 8
    frame = np.repeat(np.where(across, 255, 0).astype(np.uint8)[..., None], 3, axis=-1)
    column = fit_frame(frame, 48, 32)[:, 24, 0].astype(float)
    scale = max(48 / width, 32 / height)
    assert column.sum() / 255 == pytest.approx(min(across[:, 0].sum() * scale, 32), abs=1.5)
    assert (column * np.arange(32)).sum() / column.sum() == pytest.approx(15.5, abs=1.0)


def test_scaling_down_averages():
    checks = np.repeat(((np.indices((128, 192)).sum(axis=0) % 2) * 255).astype(np.uint8)[..., None], 3, axis=-1)
    assert np.abs(fit_frame(checks, 48, 32).astype(int) - 127.5).max() <= 1
