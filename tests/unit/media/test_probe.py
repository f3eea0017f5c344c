"""Videos as people have them: what is found out about them, their frames, and what is said of broken ones."""

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from standin_batch.errors import ExitCode
from standin_batch.media.rates import exact
from standin_batch.media.video import VideoInfo, VideoInputError, probe_video, read_frames

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "inputs" / "control.mp4"
WIDTH, HEIGHT, LENGTH = 64, 48, 12
LOSSLESS = ("-c:v", "libx264rgb", "-qp", "0")


def ffmpeg(*arguments, content=b""):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, input=content, check=True)


def film(path, frames, *arguments, fps="25", codec=LOSSLESS):
    """A file of `frames`, uint8 [T, H, W, 3]."""
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", fps, "-i", "-")
    ffmpeg(*raw, *codec, *arguments, f"file:{path}", content=frames.tobytes())
    return path


@pytest.fixture(scope="module")
def frames():
    """Bright bars that move over soft colours: each frame differs from all others."""
    t, y, x = np.mgrid[:LENGTH, :HEIGHT, :WIDTH]
    return np.stack([40 + 2 * x, 30 + 3 * y, np.where(x // 4 == t, 255, 60)], axis=-1).astype(np.uint8)


def read(path):
    info = probe_video(path)
    found = np.stack(list(read_frames(path, info)))
    assert found.shape == (info.num_frames, info.height, info.width, 3)
    return info, found


def distance(found, expected):
    assert found.shape == expected.shape
    return np.abs(found.astype(int) - expected).mean()


def test_the_control_video_of_the_golden_cases():
    assert probe_video(GOLDEN) == VideoInfo(170, 100, 14, 16.0)


def test_the_frames_are_those_that_imageio_reads():
    reader = imageio_ffmpeg.read_frames(str(GOLDEN))
    next(reader)
    _, found = read(GOLDEN)
    assert [frame.tobytes() for frame in found] == [bytes(frame) for frame in reader]


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.avi"])
def test_frames_come_back_to_the_bit_where_nothing_was_lost(tmp_path, frames, name):
    info, found = read(film(tmp_path / name, frames))
    assert info == VideoInfo(WIDTH, HEIGHT, LENGTH, 25.0)
    assert np.array_equal(found, frames)


@pytest.mark.parametrize(
    ("name", "codec", "loss"),
    [
        ("h264.mp4", ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "5"), 12),
        (
            "h265.mp4",
            ("-c:v", "libx265", "-x265-params", "log-level=error", "-crf", "5", "-pix_fmt", "yuv420p10le"),
            12,
        ),
        ("vp9.webm", ("-c:v", "libvpx-vp9", "-crf", "5", "-b:v", "0"), 12),
        ("mpeg.ts", ("-c:v", "mpeg2video", "-q:v", "1"), 12),
        ("motion.avi", ("-c:v", "mjpeg", "-q:v", "1", "-pix_fmt", "yuvj444p"), 4),
        ("prores.mov", ("-c:v", "prores_ks"), 6),
        ("animated.gif", (), 20),
        ("animated.png", ("-f", "apng"), 0),
    ],
)
def test_every_format_looks_like_the_original(tmp_path, frames, name, codec, loss):
    info, found = read(film(tmp_path / name, frames, codec=codec))
    assert info.fps == 25.0
    assert distance(found, frames) <= loss
    assert [min(range(LENGTH), key=lambda n: distance(frame, frames[n])) for frame in found] == list(range(LENGTH))


@pytest.mark.parametrize(
    "fps", ["24000/1001", "30000/1001", "60000/1001", "15000/1001", "12", "25/2", "78/5", "1/2", "120"]
)
def test_the_rate_is_the_fraction_that_it_is(tmp_path, frames, fps):
    info, found = read(film(tmp_path / "a.mp4", frames, fps=fps))
    assert str(exact(info.fps)) == fps
    assert np.array_equal(found, frames)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_video_is_read_as_it_is_shown(tmp_path, frames, degrees):
    film(tmp_path / "lying.mp4", np.rot90(frames, -degrees // 90, axes=(1, 2)))
    ffmpeg("-display_rotation", degrees, "-i", tmp_path / "lying.mp4", "-c", "copy", tmp_path / "a.mp4")
    info, found = read(tmp_path / "a.mp4")
    assert (info.width, info.height) == (WIDTH, HEIGHT)
    assert np.array_equal(found, frames)


def test_pixels_that_are_not_square_are_made_square(tmp_path, frames):
    path = film(tmp_path / "a.mp4", frames, "-vf", "setsar=4/3")
    info, _ = read(path)
    assert (info.width, info.height) == (85, HEIGHT)


def varying(path):
    """Two seconds, the first of 30 frames and the second of 10."""
    chosen = "select='lt(n,30)+not(mod(n,3))'"
    source = ("-f", "lavfi", "-i", f"testsrc=size={WIDTH}x{HEIGHT}:rate=30:duration=2")
    ffmpeg(*source, "-vf", chosen, "-fps_mode", "vfr", *LOSSLESS, path)
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_varying_rate_is_made_constant_and_keeps_the_time(tmp_path, name):
    info, found = read(varying(tmp_path / name))
    assert info.num_frames / info.fps == pytest.approx(2.0, abs=0.15)
    assert len(found) == info.num_frames


@pytest.mark.parametrize(
    "name", ["-dash.mp4", "100%d.mp4", "%03d.gif", "a b\n'c\".mp4", "女人 é.mp4", "concat:a|b.mp4", "[a].mkv"]
)
def test_a_name_is_only_a_name(tmp_path, frames, monkeypatch, name):
    film(tmp_path / name, frames, codec=() if name.endswith("gif") else LOSSLESS)
    monkeypatch.chdir(tmp_path)
    assert read(Path(name))[0].num_frames == LENGTH


@pytest.mark.parametrize("name", ["http://localhost/a.mp4", "concat:a.mp4", "pipe:0", "lavfi:testsrc"])
def test_a_protocol_is_not_followed(tmp_path, frames, monkeypatch, name):
    film(tmp_path / "a.mp4", frames)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(VideoInputError, match="there is no video"):
        probe_video(Path(name))


def test_a_missing_video_is_an_error(tmp_path):
    with pytest.raises(VideoInputError, match="there is no video") as caught:
        probe_video(tmp_path / "nothing.mp4")
    assert caught.value.exit_code == ExitCode.JOBS_FAILED


@pytest.mark.parametrize("content", [b"", b"no video", bytes(range(256)) * 40])
def test_a_file_that_is_no_video_is_an_error_with_a_cure(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(VideoInputError, match="cannot be read") as caught:
        probe_video(tmp_path / "a.mp4")
    assert "mp4" in caught.value.hint


def test_a_folder_is_no_video(tmp_path):
    with pytest.raises(VideoInputError, match="cannot be read"):
        probe_video(tmp_path)


@pytest.mark.parametrize(("arguments", "why"), [((), "cannot be read"), (("-movflags", "+faststart"), "cut short")])
def test_half_a_download_is_an_error(tmp_path, arguments, why):
    noise = np.random.default_rng(0).integers(0, 256, (LENGTH, HEIGHT, WIDTH, 3), dtype=np.uint8)
    path = film(tmp_path / "a.mp4", noise, *arguments)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(VideoInputError, match=why):
        probe_video(path)


@pytest.mark.parametrize("cover", [False, True])
def test_a_song_is_no_video(tmp_path, cover):
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "cover.png")
    picture = (
        ("-i", tmp_path / "cover.png", "-map", "0", "-map", "1", "-disposition:v", "attached_pic") if cover else ()
    )
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", *picture, tmp_path / "a.mp3")
    with pytest.raises(VideoInputError, match="holds no video"):
        probe_video(tmp_path / "a.mp3")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.tif", "a.avif"])
def test_a_picture_is_no_video(tmp_path, name):
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / name)
    with pytest.raises(VideoInputError, match="is a picture"):
        probe_video(tmp_path / name)


def test_a_video_of_one_frame_is_a_video(tmp_path, frames):
    info, found = read(film(tmp_path / "a.mp4", frames[:1]))
    assert info.num_frames == 1
    assert np.array_equal(found, frames[:1])


def test_reading_can_be_stopped_before_the_end(tmp_path, frames):
    path = film(tmp_path / "a.mp4", frames)
    reading = read_frames(path, probe_video(path))
    assert np.array_equal(next(reading), frames[0])
    reading.close()
    with pytest.raises(StopIteration):
        next(reading)


def test_frames_can_be_written_to(tmp_path, frames):
    path = film(tmp_path / "a.mp4", frames)
    first = next(read_frames(path, probe_video(path)))
    first[:] = 0
    assert not first.any()


def test_a_video_that_became_shorter_is_an_error(tmp_path, frames):
    info = probe_video(film(tmp_path / "a.mp4", frames))
    film(tmp_path / "a.mp4", frames[:5])
    with pytest.raises(VideoInputError, match="ends after 5 of 12 frames"):
        list(read_frames(tmp_path / "a.mp4", info))


def test_a_size_that_changes_on_the_way_is_made_one(tmp_path, frames):
    """Transport streams may; as recorders of meetings write them."""
    for name, part in {"a.ts": frames, "b.ts": frames[:, ::2, ::2]}.items():
        film(tmp_path / name, part, codec=("-c:v", "libx264", "-pix_fmt", "yuv420p"))
    (tmp_path / "c.ts").write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    info, found = read(tmp_path / "c.ts")
    assert found.shape[1:] == (info.height, info.width, 3)
    assert info.num_frames > LENGTH
