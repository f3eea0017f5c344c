"""Writing videos."""

from __future__ import annotations

import imageio_ffmpeg
import numpy as np
import pytest

from standin_batch.output.video import VideoError, read_metadata, write_video

HEIGHT, WIDTH, LENGTH = 48, 64, 9
METADATA = {"prompt": 'a = b; # \\ "c"\n一个女人', "seed": 3}


@pytest.fixture(scope="module")
def frames():
    """Smooth moving colours: what a codec without loss keeps and one with loss nearly does."""
    t, y, x = np.mgrid[:LENGTH, :HEIGHT, :WIDTH]
    return np.stack([(x * 3 + t * 5) % 256, (y * 4) % 256, (x + y + t) % 256], axis=-1).astype(np.uint8)


def read(path):
    reader = imageio_ffmpeg.read_frames(str(path), pix_fmt="rgb24")
    properties = next(reader)
    return properties, np.stack([np.frombuffer(frame, np.uint8).reshape(HEIGHT, WIDTH, 3) for frame in reader])


def test_lossless_keeps_every_value(tmp_path, frames):
    write_video(tmp_path / "v.mp4", frames, 8.0, lossless=True, metadata={})
    properties, found = read(tmp_path / "v.mp4")
    assert np.array_equal(found, frames)
    assert properties["fps"] == 8.0


def test_the_default_plays_everywhere(tmp_path, frames):
    write_video(tmp_path / "v.mp4", frames, 25.0, metadata={})
    properties, found = read(tmp_path / "v.mp4")
    assert properties["codec"] == "h264"
    assert properties["pix_fmt"].startswith("yuv420p")
    assert found.shape == frames.shape


def test_more_quality_is_more_bytes_and_closer(tmp_path, frames):
    sizes, errors = [], []
    for quality in (2, 6, 10):
        path = tmp_path / f"{quality}.mp4"
        write_video(path, frames, 8.0, quality=quality, metadata={})
        sizes.append(path.stat().st_size)
        errors.append(np.abs(read(path)[1].astype(int) - frames).mean())
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)


def test_the_metadata_comes_back(tmp_path, frames):
    write_video(tmp_path / "v.mp4", frames, 8.0, metadata=METADATA)
    assert read_metadata(tmp_path / "v.mp4") == METADATA


def test_the_same_frames_give_the_same_bytes(tmp_path, frames):
    for name in "ab":
        write_video(tmp_path / f"{name}.mp4", frames, 8.0, metadata=METADATA)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_a_foreign_video_carries_no_job(tmp_path):
    (tmp_path / "v.mp4").write_bytes(b"no video")
    with pytest.raises(VideoError, match="carries no job"):
        read_metadata(tmp_path / "v.mp4")


def test_a_write_that_fails_leaves_nothing(tmp_path, frames):
    with pytest.raises(VideoError, match="ffmpeg"):
        write_video(tmp_path / "v.mp4", frames[:, 1:, 1:], 8.0, metadata={})  # yuv420p takes no odd sizes
    assert list(tmp_path.iterdir()) == []
