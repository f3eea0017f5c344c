"""Any bytes for a picture or a video: it is one, or there is an error with a cure, in bounded time and memory."""

from __future__ import annotations

import io
import os
import subprocess
import tracemalloc
import zlib
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from standin_batch.face.subject import SIDE, prepare_subject
from standin_batch.media import video
from standin_batch.media.image import ImageError, open_image, rgb_on_white
from standin_batch.media.sizing import fit
from standin_batch.media.video import LONGEST, VideoInfo, VideoInputError, probe_video, read_frames

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")
"""Pillow warns of what is damaged on purpose here."""

SIZE = (48, 32)
WHOLE = 1_000_000
LEAN = 300 * 2**20
"""Bytes that numpy may take at once for a picture: a square of 8192 x 8192, and some more."""

quick = settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
thorough = settings(quick, max_examples=10_000)


def noise():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (*SIZE[::-1], 3), dtype=np.uint8))


def encoded(form, **options):
    content = io.BytesIO()
    noise().save(content, form, **options)
    return content.getvalue()


def ffmpeg(*arguments):
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)], check=True)


def measured(work):
    """What `work` gives, and the most bytes that Python and numpy held meanwhile."""
    tracemalloc.start()
    try:
        return work(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def film(path, *arguments, length=8):
    source = ("-f", "lavfi", "-i", f"testsrc=size={SIZE[0]}x{SIZE[1]}:rate=25")
    ffmpeg(*source, "-frames:v", length, "-pix_fmt", "yuv420p", *arguments, path)
    return path


@pytest.fixture(scope="module")
def pictures():
    pillow_heif.register_heif_opener()
    forms = {"PNG": {}, "JPEG": {}, "WEBP": {}, "TIFF": {}, "HEIF": {}, "BMP": {}, "JPEG2000": {}}
    exif = Image.Exif()
    exif[0x0112] = 6
    good = [encoded(form, **options) for form, options in forms.items()]
    good.append(encoded("GIF", save_all=True, append_images=[Image.new("RGB", SIZE)]))
    return [*good, encoded("JPEG", exif=exif), encoded("PNG", icc_profile=b"no profile")]


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    made = [film(folder / "a.mp4", "-movflags", "+faststart"), film(folder / "a.mkv"), film(folder / "a.ts")]
    return [path.read_bytes() for path in made]


changes = st.lists(st.tuples(st.integers(0, WHOLE), st.integers(0, 8), st.binary(max_size=8)), min_size=1, max_size=6)


def mutated(content: bytes, changed: list[tuple[int, int, bytes]]) -> bytes:
    """`content` with bytes at some places, given as millionths of its length, taken out and put in."""
    for share, cut, inserted in changed:
        at = share * len(content) // WHOLE
        content = content[:at] + inserted + content[at + cut :]
    return content


def look_at(path: Path, content: bytes) -> None:
    """A picture, or an error that says what to do."""
    path.write_bytes(content)
    try:
        image = open_image(path)
    except ImageError as error:
        assert error.hint and str(path) in error.message
        return
    pixels = rgb_on_white(image)
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
    if max(image.size) <= 1024:
        assert prepare_subject(image).size == (SIDE, SIDE)


@quick
@given(st.integers(0, 9), changes)
def test_mutated_pictures(tmp_path_factory, pictures, which, changed):
    look_at(tmp_path_factory.getbasetemp() / "wild", mutated(pictures[which], changed))


@pytest.mark.slow
@thorough
@given(st.integers(0, 9), changes)
def test_many_mutated_pictures(tmp_path_factory, pictures, which, changed):
    look_at(tmp_path_factory.getbasetemp() / "wild", mutated(pictures[which], changed))


def watch(path: Path, content: bytes) -> None:
    """A video whose frames come as promised, or an error that says what to do."""
    path.write_bytes(content)
    try:
        info = probe_video(path)
        assert 0 < info.num_frames <= LONGEST
        if info.width * info.height < 10**6:
            assert all(frame.shape == (info.height, info.width, 3) for frame in read_frames(path, info))
    except VideoInputError as error:
        assert error.hint and str(path) in error.message


@settings(quick, max_examples=40)
@given(st.integers(0, 2), changes)
def test_mutated_videos(tmp_path_factory, films, which, changed):
    watch(tmp_path_factory.getbasetemp() / "wild.mp4", mutated(films[which], changed))


@pytest.mark.slow
@settings(quick, max_examples=400)
@given(st.integers(0, 2), changes)
def test_many_mutated_videos(tmp_path_factory, films, which, changed):
    watch(tmp_path_factory.getbasetemp() / "wild.mp4", mutated(films[which], changed))


@pytest.mark.parametrize("size", [(60_000, 1), (1, 60_000), (20_000, 300)])
def test_a_panorama_is_prepared_without_the_square_around_it_filling_the_memory(tmp_path, size):
    Image.new("RGB", size, "red").save(tmp_path / "a.png")
    prepared, peak = measured(lambda: prepare_subject(open_image(tmp_path / "a.png")))
    assert peak < LEAN
    pixels = np.asarray(prepared)
    assert pixels[..., 1].min() < 255 and pixels[..., 0].min() == 255, "red is seen, however thin the line"


def test_a_picture_up_to_the_longest_side_is_prepared_as_the_reference_does(tmp_path):
    strip = np.random.default_rng(0).integers(0, 256, (8, 4096, 3), dtype=np.uint8)
    square = np.full((4096, 4096, 3), 255, np.uint8)
    square[2044:2052] = strip
    import cv2

    expected = cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    assert np.array_equal(np.asarray(prepare_subject(Image.fromarray(strip))), expected)


@pytest.mark.parametrize("read", [open_image, probe_video], ids=["picture", "video"])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises((ImageError, VideoInputError), match="no regular file"):
        read(tmp_path / "pipe")


def test_a_file_that_is_too_large_for_a_picture_is_not_read(tmp_path):
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ImageError, match="MiB"):
        open_image(tmp_path / "a.png")


def test_postscript_is_no_picture_for_it_would_be_run(tmp_path):
    (tmp_path / "a.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    with pytest.raises(ImageError, match="not a picture"):
        open_image(tmp_path / "a.png")


def test_a_tiff_that_only_opencv_knows_has_the_same_limit(tmp_path):
    import cv2

    path = tmp_path / "a.tif"
    assert cv2.imwrite(str(path), np.zeros((8, 8, 3), np.float32))
    content = bytearray(path.read_bytes())
    at = int.from_bytes(content[4:8], "little") + 2
    for entry in range(at, at + 24, 12):  # the first two tags are width and height
        content[entry + 2 : entry + 12] = (
            (4).to_bytes(2, "little") + (1).to_bytes(4, "little") + (30_000).to_bytes(4, "little")
        )
    path.write_bytes(content)
    with pytest.raises(ImageError) as caught:
        open_image(path)
    assert caught.value.hint == "make it smaller"


def test_a_text_chunk_that_unpacks_to_much_is_refused(tmp_path):
    content = encoded("PNG")
    packed = zlib.compress(b"a" * 300_000_000)
    chunk = b"iTXtx\0\1\0\0\0" + packed
    text = len(chunk[4:]).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(content[:33] + text + content[33:])

    def refused():
        with pytest.raises(ImageError, match="too large") as caught:
            open_image(tmp_path / "a.png")
        return caught.value

    error, peak = measured(refused)
    assert "Save it anew" in error.hint
    assert peak < 50_000_000


SCRIPTS = {
    "concat": "ffconcat version 1.0\nfile good.mp4\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ngood.mp4\n#EXT-X-ENDLIST\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
}


@pytest.mark.parametrize("name", ["list.mp4", "list.m3u8", "list.ffconcat", "list.txt"])
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_list_of_other_files_is_no_video(tmp_path, script, name):
    film(tmp_path / "good.mp4")
    (tmp_path / name).write_text(script)
    with pytest.raises(VideoInputError, match="cannot be read"):
        probe_video(tmp_path / name)


def test_a_pattern_of_pictures_is_no_video(tmp_path):
    for name in ("a%03d.png", "a001.png", "a002.png"):
        noise().save(tmp_path / name)
    with pytest.raises(VideoInputError, match=r"cannot be read|is a picture"):
        probe_video(tmp_path / "a%03d.png")


def test_frames_out_of_bounds_are_not_decoded(tmp_path):
    source = ("-f", "lavfi", "-i", "color=size=9000x7500:rate=1:duration=1")
    ffmpeg(*source, "-c:v", "libx264", "-preset", "ultrafast", tmp_path / "a.mp4")
    with pytest.raises(VideoInputError, match="more than 67,108,864 pixels"):
        probe_video(tmp_path / "a.mp4")


def test_an_hour_is_looked_at_for_minutes(tmp_path):
    film(tmp_path / "a.mp4", length=250)
    ffmpeg("-stream_loop", 359, "-i", tmp_path / "a.mp4", "-c", "copy", tmp_path / "long.mp4")
    info = probe_video(tmp_path / "long.mp4")
    assert info == VideoInfo(*SIZE, LONGEST, 25.0)
    assert fit(info, num_frames=81).num_frames == 81
    assert fit(info, max_frames=81).changes == ("cut from 5000 or more to 81 frames (max_frames)",)
    for asked in ({}, {"num_frames": 5001}):
        with pytest.raises(VideoInputError, match="5,000 frames or more") as caught:
            fit(info, **asked)
        assert "_frames" in caught.value.hint


def test_an_hour_between_two_frames_is_not_filled_with_frames(tmp_path):
    gap = "setpts='if(gte(N,6),PTS+3600/TB,PTS)'"
    film(tmp_path / "a.mkv", "-vf", gap, "-fps_mode", "vfr")
    assert probe_video(tmp_path / "a.mkv").num_frames <= LONGEST


def test_what_takes_too_long_is_ended(tmp_path, monkeypatch):
    film(tmp_path / "a.mp4", length=250)
    monkeypatch.setattr(video, "PATIENCE", 0.001)
    with pytest.raises(VideoInputError, match="took longer"):
        probe_video(tmp_path / "a.mp4")


def test_a_picture_with_broken_exif_is_taken_as_it_is(tmp_path):
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (48, 32), "red").save(path, exif=exif)
    path.write_bytes(path.read_bytes().replace(b"Exif\0\0MM\0*", b"Exif\0\0\0MM*"))
    assert rgb_on_white(open_image(path)).shape == (32, 48, 3)
