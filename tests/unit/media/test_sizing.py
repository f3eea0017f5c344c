"""Sizes, lengths and rates that follow from a control video."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standin_batch.media.sizing import Fitted, fit, frame_indices, frames_at
from standin_batch.media.video import VideoInfo, VideoInputError

RATES = st.sampled_from([1.0, 12.5, 15.0, 16.0, 24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0, 60000 / 1001, 60.0])
VIDEOS = st.builds(VideoInfo, st.integers(16, 4000), st.integers(16, 4000), st.integers(1, 1000), RATES)


def video(width=1920, height=1080, num_frames=200, fps=24.0):
    return VideoInfo(width, height, num_frames, fps)


def test_a_video_is_cut_to_multiples_of_16_and_4n_plus_1_frames():
    assert fit(video(170, 100, 14, 16.0)) == Fitted(160, 96, 13, 16.0, ())


def test_what_the_job_writes_wins_over_video_and_caps():
    written = {"width": 832, "height": 480, "num_frames": 81, "fps": 24.0}
    assert fit(video(), **written, max_frames=5, max_pixels=256) == Fitted(832, 480, 81, 24.0, ())


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ({"width": 832}, (832, 464)),
        ({"height": 480}, (848, 480)),
        ({"width": 832, "max_pixels": 256}, (832, 464)),
        ({"width": 16}, (16, 16)),
    ],
)
def test_the_other_side_follows_the_aspect(given, size):
    fitted = fit(video(), **given)
    assert ((fitted.width, fitted.height), fitted.changes) == (size, ())


def test_a_cap_on_the_length_is_told():
    fitted = fit(video(), max_frames=81)
    assert (fitted.num_frames, fitted.changes) == (81, ("cut from 200 to 81 frames (max_frames)",))


def test_a_cap_on_the_length_leaves_4n_plus_1():
    assert fit(video(), max_frames=84).num_frames == 81


@pytest.mark.parametrize("num_frames", [81, 84])
def test_a_cap_that_is_not_reached_changes_nothing(num_frames):
    assert fit(video(640, 480, num_frames), max_frames=81, max_pixels=640 * 480) == Fitted(640, 480, 81, 24.0, ())


def test_a_cap_on_the_size_is_told():
    fitted = fit(video(num_frames=5), max_pixels=832 * 480)
    assert (fitted.width, fitted.height) == (832, 464)
    assert fitted.changes == ("scaled from 1920 x 1080 to 832 x 464 (max_pixels)",)


def test_both_caps_are_told():
    assert len(fit(video(), max_pixels=832 * 480, max_frames=81).changes) == 2


def test_another_rate_keeps_the_speed():
    slower = fit(video(num_frames=60, fps=30.0), fps=15.0)
    assert (slower.num_frames, slower.fps) == (29, 15.0)
    assert frame_indices(video(num_frames=60, fps=30.0), slower) == list(range(0, 57, 2))


def test_a_higher_rate_shows_frames_again():
    faster = fit(video(num_frames=3, fps=8.0), fps=16.0)
    assert frame_indices(video(num_frames=3, fps=8.0), faster) == [0, 0, 1, 1, 2]


def test_the_same_rate_in_other_digits_is_the_same_rate():
    source = video(num_frames=1001, fps=24000 / 1001)
    assert frame_indices(source, fit(source, fps=23.976)) == list(range(1001))


def test_a_longer_job_than_the_video_is_an_error_that_names_the_cure():
    with pytest.raises(VideoInputError, match="has 14 frames, not 17") as caught:
        fit(video(num_frames=14), num_frames=17)
    assert "num_frames: 13" in caught.value.hint


def test_it_counts_at_the_rate_of_the_job():
    with pytest.raises(VideoInputError, match="has 7 frames at 12 fps, not 13") as caught:
        fit(video(num_frames=14), num_frames=13, fps=12.0)
    assert "num_frames: 5" in caught.value.hint


@pytest.mark.parametrize("size", [(15, 100), (100, 15)])
def test_a_video_below_16_pixels_is_an_error(size):
    with pytest.raises(VideoInputError, match=f"{size[0]} x {size[1]}"):
        fit(video(*size), width=160, height=96)


def test_a_cap_below_the_smallest_size_is_an_error():
    with pytest.raises(VideoInputError, match="255 pixels") as caught:
        fit(video(), max_pixels=255)
    assert "256" in caught.value.hint


@given(
    VIDEOS,
    st.none() | RATES,
    st.none() | st.integers(1, 500),
    st.none() | st.integers(256, 10_000_000),
)
def test_whatever_is_brought_fits(info, fps, max_frames, max_pixels):
    fitted = fit(info, fps=fps, max_frames=max_frames, max_pixels=max_pixels)
    assert fitted.width % 16 == fitted.height % 16 == 0
    assert min(fitted.width, fitted.height) >= 16
    assert fitted.num_frames % 4 == 1
    assert fitted.width <= info.width and fitted.height <= info.height
    assert max_pixels is None or fitted.width * fitted.height <= max_pixels
    assert max_frames is None or fitted.num_frames <= max_frames
    indices = frame_indices(info, fitted)
    assert len(indices) == fitted.num_frames
    assert indices == sorted(indices) and indices[0] == 0 and indices[-1] < info.num_frames


@given(VIDEOS, st.integers(256, 10_000_000))
def test_a_cap_on_the_size_leaves_less_than_16_pixels_of_room(info, max_pixels):
    fitted = fit(info, max_pixels=max_pixels)
    if fitted.changes and min(fitted.width, fitted.height) > 16:
        scale = (max_pixels / info.width / info.height) ** 0.5
        assert info.width * scale - fitted.width < 16.001 and info.height * scale - fitted.height < 16.001


@given(VIDEOS, RATES)
def test_no_more_frames_are_promised_than_the_video_shows(info, fps):
    available = frames_at(info, fps)
    last = frame_indices(info, Fitted(16, 16, available, fps, ()))[-1]
    assert last < info.num_frames
    with pytest.raises(VideoInputError):
        frame_indices(info, Fitted(16, 16, available + 1, fps, ()))


@given(VIDEOS, st.integers(1, 2000))
def test_a_written_length_is_taken_or_refused_with_one_that_is_taken(info, num_frames):
    try:
        assert fit(info, num_frames=num_frames).num_frames == num_frames
    except VideoInputError as error:
        assert num_frames > info.num_frames
        nearest = int(error.hint.split("num_frames: ")[1].split("`")[0])
        assert fit(info, num_frames=nearest).num_frames == nearest > info.num_frames - 4
