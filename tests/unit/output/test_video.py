"""Writing videos."""

from __future__ import annotations

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from standin_batch.media.audio import audio_track
from standin_batch.media.rates import exact
from standin_batch.media.video import probe_video
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


@pytest.mark.parametrize(
    ("fps", "fraction"),
    [(23.976, "24000/1001"), (29.97, "30000/1001"), (12.5, "25/2"), (16, "16"), (47.123, "47123/1000")],
)
def test_the_rate_is_kept_as_a_fraction(tmp_path, frames, fps, fraction, capfd):
    write_video(tmp_path / "v.mp4", frames, fps, metadata={})
    info = probe_video(tmp_path / "v.mp4")
    assert (str(exact(info.fps)), info.num_frames) == (fraction, LENGTH)
    assert capfd.readouterr().err == ""


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


def ffmpeg(*arguments):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=True).stdout


SECONDS = 4
TONE = ("-f", "lavfi", "-i", f"sine=frequency=440:duration={SECONDS}:sample_rate=44100")
SOUNDS = {
    "a.m4a": (),
    "a.aac": (),
    "a.mp3": (),
    "a.mka": ("-c:a", "ac3"),
    "low.mp3": ("-ar", "11025"),
    "a.wav": (),
    "a.ogg": ("-c:a", "libvorbis"),
    "surround.flac": ("-ac", "6"),
    "a.webm": ("-c:a", "libopus"),
    "-100%d: x.wav": (),
}


def samples(path):
    """The sound of `path`, one channel, 44100 a second."""
    return np.frombuffer(
        ffmpeg("-i", f"file:{path}", "-map", "0:a:0", "-ac", 1, "-ar", 44100, "-f", "s16le", "-"), "<i2"
    )


@pytest.mark.parametrize("name", SOUNDS)
def test_sound_is_kept_and_ends_with_the_frames(tmp_path, frames, name):
    ffmpeg(*TONE, *SOUNDS[name], f"file:{tmp_path / name}")
    write_video(tmp_path / "v.mp4", frames, 8.0, metadata=METADATA, audio=tmp_path / name)
    found = samples(tmp_path / "v.mp4")
    assert len(found) / 44100 == pytest.approx(LENGTH / 8.0, abs=0.1)  # whole packets: 1024 samples at 11025 Hz
    loudest = np.abs(np.fft.rfft(found[8820:35280].astype(float))).argmax() / 0.6
    assert loudest == pytest.approx(440, abs=2)
    assert probe_video(tmp_path / "v.mp4").num_frames == LENGTH
    assert read_metadata(tmp_path / "v.mp4") == METADATA


@pytest.mark.parametrize(("name", "codec"), [("a.m4a", "aac"), ("a.mp3", "mp3"), ("a.mka", "ac3"), ("a.wav", "aac")])
def test_sound_that_mp4_takes_is_not_encoded_again(tmp_path, frames, name, codec):
    ffmpeg(*TONE, *SOUNDS[name], tmp_path / name)
    write_video(tmp_path / "v.mp4", frames, 8.0, metadata={}, audio=tmp_path / name)
    assert audio_track(tmp_path / "v.mp4").codec == codec
    packets = ("-map", "0:a:0", "-c", "copy", "-f", "framehash", "-hash", "md5", "-")
    whole, kept = (
        [line.split(b",")[-1] for line in ffmpeg("-i", tmp_path / file, *packets).splitlines() if line[:1] != b"#"]
        for file in (name, "v.mp4")
    )
    assert (whole[1 : len(kept) - 1] == kept[1:-1]) is (name != "a.wav")


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("name", ["a.m4a", "a.wav"])
def test_sound_changes_no_frame_and_the_bytes_are_the_same_again(tmp_path, frames, name, lossless):
    ffmpeg(*TONE, tmp_path / name)
    write_video(tmp_path / "silent.mp4", frames, 8.0, lossless=lossless, metadata=METADATA)
    for number in "12":
        write_video(
            tmp_path / f"{number}.mp4", frames, 8.0, lossless=lossless, metadata=METADATA, audio=tmp_path / name
        )
    assert np.array_equal(read(tmp_path / "1.mp4")[1], read(tmp_path / "silent.mp4")[1])
    content = (tmp_path / "1.mp4").read_bytes()
    assert content == (tmp_path / "2.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert b"Lavf" not in content


def test_short_sound_shortens_no_video(tmp_path, frames):
    ffmpeg(*TONE, "-t", "0.3", tmp_path / "short.wav")
    write_video(tmp_path / "v.mp4", frames, 8.0, metadata={}, audio=tmp_path / "short.wav")
    assert probe_video(tmp_path / "v.mp4").num_frames == LENGTH
    assert len(samples(tmp_path / "v.mp4")) / 44100 == pytest.approx(0.3, abs=0.06)


def test_the_sound_of_a_video_is_kept_and_not_what_it_tells_of_itself(tmp_path, frames):
    write_video(tmp_path / "silent.mp4", frames, 4.0, metadata={"prompt": "another"})
    titles = ("-metadata", "title=holiday", "-metadata:s:a", "title=my voice", "-metadata:s:a", "language=fra")
    ffmpeg("-i", tmp_path / "silent.mp4", *TONE, "-c:v", "copy", *titles, tmp_path / "source.mov")
    write_video(tmp_path / "v.mp4", frames, 8.0, metadata=METADATA, audio=tmp_path / "source.mov")
    assert audio_track(tmp_path / "v.mp4") is not None
    assert read_metadata(tmp_path / "v.mp4") == METADATA
    content = (tmp_path / "v.mp4").read_bytes()
    assert not [word for word in (b"another", b"holiday", b"my voice") if word in content]


def test_a_file_without_sound_gives_none_and_the_same_bytes(tmp_path, frames):
    write_video(tmp_path / "silent.mp4", frames, 8.0, metadata=METADATA)
    write_video(tmp_path / "v.mp4", frames, 8.0, metadata=METADATA, audio=tmp_path / "silent.mp4")
    assert (tmp_path / "v.mp4").read_bytes() == (tmp_path / "silent.mp4").read_bytes()


def test_a_name_is_only_a_name(tmp_path, frames, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = type(tmp_path)("a:100%d.mp4")
    write_video(path, frames, 8.0, metadata=METADATA)
    assert read_metadata(path) == METADATA


def test_sound_from_a_file_that_is_gone_is_an_error(tmp_path, frames):
    with pytest.raises(VideoError, match=r"gone\.mp4"):
        write_video(tmp_path / "v.mp4", frames, 8.0, metadata={}, audio=tmp_path / "gone.mp4")
    assert list(tmp_path.iterdir()) == []
