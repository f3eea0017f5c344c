"""What is measured about a photograph of a person."""

import cv2
import numpy as np
import pytest
from degraded import portrait
from PIL import Image

from standin_batch.face.detect import Face
from standin_batch.face.portrait import look_at, outside, sharpness_of

LANDMARKS = ((30.0, 40.0), (60.0, 40.0), (45.0, 55.0), (32.0, 75.0), (58.0, 75.0))
FACE = (260, 105, 410, 270)
"""Of the portrait."""


class FixedDetector:
    """Finds what it was told to find."""

    def __init__(self, *boxes):
        self.faces = [Face(box, LANDMARKS, 1.0) for box in boxes]

    def detect(self, image_bgr):
        return self.faces


def face(scale=1.0, method=cv2.INTER_AREA):
    pixels = np.asarray(portrait())[FACE[1] : FACE[3], FACE[0] : FACE[2]]
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=method)


def grey(level, *boxes):
    """A picture of one colour with boxes of others."""
    pixels = np.full((200, 300, 3), level, np.uint8)
    for (left, top, right, bottom), other in boxes:
        pixels[top:bottom, left:right] = other
    return Image.fromarray(pixels)


def test_the_largest_face_is_measured_wherever_it_comes_among_the_others():
    found = look_at(grey(128), FixedDetector((10, 10, 50, 60), (100, 50, 200, 180), (20, 20, 90, 90)))
    assert [each.box[0] for each in found.faces] == [100, 20, 10]
    assert (found.width, found.height) == (300, 200)
    assert found.likeness.side == 100
    assert found.second == 0.7


def test_without_a_face_there_is_nothing_to_measure():
    found = look_at(grey(128), FixedDetector())
    assert (found.faces, found.likeness, found.embedding, found.second) == ((), None, None, 0.0)


def test_blur_takes_sharpness_and_more_of_it_more():
    values = [sharpness_of(cv2.GaussianBlur(face(), (0, 0), sigma) if sigma else face()) for sigma in (0, 1, 2, 4)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 10 * values[2]


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_a_larger_picture_of_the_same_face_is_as_sharp(scale):
    assert sharpness_of(face(scale, cv2.INTER_CUBIC)) == pytest.approx(sharpness_of(face()), rel=0.15)


def test_a_darker_picture_of_the_same_face_is_as_sharp():
    assert sharpness_of((face() * 0.3).astype(np.uint8)) == pytest.approx(sharpness_of(face()), rel=0.15)


def test_one_colour_has_no_sharpness():
    assert sharpness_of(np.full((50, 50, 3), 90, np.uint8)) == 0.0


def test_light_is_that_of_the_face_alone():
    box = (100, 50, 200, 150)
    found = look_at(grey(255, (box, 40)), FixedDetector(box)).likeness
    assert (found.brightness, found.blown_out) == (40, 0)
    found = look_at(grey(0, (box, 128), ((100, 50, 200, 90), 255)), FixedDetector(box)).likeness
    assert found.blown_out == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("box", "face_outside", "crop_outside"),
    [
        ((100, 50, 180, 130), 0.0, 0.0),
        ((0, 50, 80, 130), 0.0, 1 / 6),
        ((-20, 60, 80, 140), 0.2, 0.3),
        ((0, 0, 300, 200), 0.0, 1 - (300 * 200) / (450 * 450)),
    ],
    ids=["in the middle", "at the edge", "over the edge", "all of it"],
)
def test_what_lies_outside_of_the_picture(box, face_outside, crop_outside):
    found = look_at(grey(128), FixedDetector(box)).likeness
    assert found.face_outside == pytest.approx(face_outside)
    assert found.crop_outside == pytest.approx(crop_outside, abs=0.02)


def test_nothing_of_an_empty_box_lies_outside():
    assert outside((5, 5, 5, 9), 10, 10) == 0.0


@pytest.mark.parametrize("box", [(290.2, 190.2, 290.4, 190.4), (-5, -5, -1, -1), (400, 300, 420, 330)])
def test_a_box_without_pixels_is_measured_all_the_same(box):
    assert look_at(grey(128), FixedDetector(box)).likeness.sharpness == 0.0
