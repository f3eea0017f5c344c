"""What control by VACE hands to the engine."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from standin_batch.media.video import VideoInfo
from standin_batch.modes import MODES, ModeRequest
from standin_batch.modes.vace import edges


def no_faces():
    raise AssertionError("nobody looks for faces here")


@pytest.fixture
def inputs(golden):
    """The inputs of a job with these files and parameters, 160 x 96 with 13 frames."""

    def make(preprocess="none", **files):
        request = ModeRequest(
            params={"vace_scale": 0.5, "preprocess": preprocess},
            files={key: golden / "inputs" / name for key, name in files.items()},
            videos={"reference_video": VideoInfo(170, 100, 14, 16.0)},
            subject=None,
            width=160,
            height=96,
            num_frames=13,
            fps=16.0,
            faces=no_faces,
        )
        return MODES["vace"].inputs(request).units

    return make


def test_the_control_video_is_cut_to_the_job_s_size_and_length(inputs):
    frames = inputs(reference_video="control.mp4")["vace_video"]
    assert len(frames) == 13
    assert {frame.size for frame in frames} == {(160, 96)}


def test_the_reference_image_is_letter_boxed_on_white(inputs, golden):
    image = inputs(reference_image="reference_image.png")["vace_reference_image"]
    assert image.size == (160, 96)
    with Image.open(golden / "inputs" / "reference_image.png") as original:
        width, height = original.size
    pixels = np.array(image)
    bars = (pixels[0], pixels[-1]) if width / height > 160 / 96 else (pixels[:, 0], pixels[:, -1])
    assert all((bar == 255).all() for bar in bars)
    assert not (pixels == 255).all()


def test_what_is_not_given_is_not_there(inputs):
    assert inputs() == {"vace_scale": 0.5}
    assert inputs(reference_video="control.mp4").keys() == {"vace_scale", "vace_video"}


def test_edges_are_drawn_white_on_black(inputs):
    frames = np.stack([np.array(frame) for frame in inputs("canny", reference_video="control.mp4")["vace_video"]])
    assert set(np.unique(frames)) == {0, 255}


def test_an_edge_is_where_the_picture_changes():
    frame = np.zeros((1, 32, 32, 3), np.uint8)
    frame[:, :, 16:] = 255
    found = edges(frame)
    assert found.shape == frame.shape
    assert found[0, 8:24, 14:18].max() == 255
    assert found[0, :, :12].max() == found[0, :, 20:].max() == 0
