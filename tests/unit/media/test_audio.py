"""The sound of a file."""

import subprocess

import imageio_ffmpeg
import pytest

from standin_batch.media.audio import AudioTrack, audio_track


def tone(path, *arguments):
    source = ["-f", "lavfi", "-i", "sine=duration=1:sample_rate=44100"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, *arguments, str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.mark.parametrize(
    ("name", "arguments", "track", "fits"),
    [
        ("a.m4a", (), AudioTrack("aac", 44100), True),
        ("a.aac", (), AudioTrack("aac", 44100), True),
        ("a.mp3", (), AudioTrack("mp3", 44100), True),
        ("a.mka", ("-c:a", "ac3"), AudioTrack("ac3", 44100), True),
        ("low.mp3", ("-ar", "11025"), AudioTrack("mp3", 11025), False),
        ("a.wav", (), AudioTrack("pcm_s16le", 44100), False),
        ("a.ogg", ("-c:a", "libvorbis"), AudioTrack("vorbis", 44100), False),
        ("a.webm", ("-c:a", "libopus"), AudioTrack("opus", 48000), False),
        ("a.flac", (), AudioTrack("flac", 44100), False),
    ],
)
def test_a_track_and_whether_mp4_takes_it(tmp_path, name, arguments, track, fits):
    found = audio_track(tone(tmp_path / name, *arguments))
    assert found == track
    assert found.fits_mp4() is fits


@pytest.mark.parametrize("content", [None, b"", b"no sound"])
def test_a_file_without_sound_has_no_track(tmp_path, content):
    if content is not None:
        (tmp_path / "a.mp3").write_bytes(content)
    assert audio_track(tmp_path / "a.mp3") is None
