"""From a picture to the subject image: the reference's results to the pixel, and what is said when there are none."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from standin_batch.errors import ExitCode
from standin_batch.face.detect import Face
from standin_batch.face.subject import (
    NoFaceError,
    crop_around,
    pad_to_square,
    prepare_face,
    prepare_subject,
    whiten,
)
from standin_batch.media.image import open_image

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "face"
CASES = json.loads((GOLDEN / "cases.json").read_text())["cases"]
WHITE = (255, 255, 255)


class FixedDetector:
    """Finds what it was told to find."""

    def __init__(self, *boxes):
        self.faces = [Face(box=tuple(box), landmarks=((0.0, 0.0),) * 5, score=1.0) for box in boxes]

    def detect(self, image_bgr):
        self.seen = image_bgr
        return self.faces


class OvalParser:
    """The parser of the golden cases."""

    def classes(self, image_rgb):
        height, width = image_rgb.shape[:2]
        y, x = np.mgrid[:height, :width]
        inside = ((y - 0.52 * height) / (0.44 * height)) ** 2 + ((x - 0.5 * width) / (0.36 * width)) ** 2 <= 1
        return inside.astype(np.uint8)


def plain(width, height, colour=(200, 30, 60)):
    return Image.new("RGB", (width, height), colour)


def noise(*size):
    return np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)


@pytest.mark.parametrize("name", CASES)
def test_a_face_is_prepared_as_the_reference_does_it(name):
    (source,) = GOLDEN.glob(f"{name}.in.*")
    detector = FixedDetector(*CASES[name]["boxes"])
    prepared = prepare_face(open_image(source), detector, OvalParser(), on_no_face="whole_image")
    assert prepared.mode == "RGB"
    assert np.array_equal(np.asarray(prepared), np.asarray(Image.open(GOLDEN / f"{name}.out.png")))


def test_all_seven_golden_cases_are_tested():
    assert len(CASES) == 7


def test_no_face_is_an_error_that_names_both_cures():
    with pytest.raises(NoFaceError) as caught:
        prepare_face(plain(300, 200), FixedDetector(), OvalParser())
    assert "on_no_face: whole_image" in caught.value.hint
    assert "kind: subject" in caught.value.hint
    assert caught.value.exit_code == ExitCode.JOBS_FAILED


def test_the_detector_sees_the_picture_in_bgr():
    detector = FixedDetector((20, 20, 60, 60))
    prepare_face(plain(80, 80, (10, 20, 30)), detector, OvalParser())
    assert detector.seen.shape == (80, 80, 3)
    assert tuple(detector.seen[0, 0]) == (30, 20, 10)


def test_a_transparent_face_photo_goes_on_white():
    pixels = np.dstack([np.zeros((80, 80, 3), np.uint8), np.zeros((80, 80), np.uint8)])
    prepared = prepare_face(Image.fromarray(pixels, "RGBA"), FixedDetector((20, 20, 60, 60)), OvalParser())
    assert prepared.getcolors() == [(512 * 512, WHITE)]


@pytest.mark.parametrize(
    ("box", "crop"),
    [
        ((40, 50, 60, 90), (20, 40, 80, 100)),
        ((0, 0, 40, 40), (0, 0, 50, 50)),
        ((160, 60, 200, 100), (150, 50, 200, 100)),
        ((40.9, 50.9, 60.9, 90.9), (20, 40, 80, 100)),
    ],
    ids=[
        "square of 1.5 times the longer side",
        "cut at the left and top",
        "cut at the right and below",
        "whole pixels",
    ],
)
def test_the_crop_lies_around_the_face_and_within_the_image(box, crop):
    assert crop_around(box, 200, 100) == crop


def test_a_face_that_reaches_all_four_borders_takes_the_whole_image():
    assert crop_around((10, 10, 190, 90), 200, 100) == (0, 0, 200, 100)


@pytest.mark.parametrize(
    ("box", "crop"), [((0, 0, 100, 100), (0, 0, 125, 100)), ((900, 0, 1000, 100), (875, 0, 1000, 100))]
)
def test_a_face_that_reaches_only_three_borders_is_cropped(box, crop):
    assert crop_around(box, 1000, 100) == crop


def test_padding_puts_the_picture_in_the_middle_with_the_odd_row_below():
    padded = pad_to_square(np.zeros((3, 6, 3), np.uint8))
    assert padded[:, 0, 0].tolist() == [255, 0, 0, 0, 255, 255]


def test_padding_leaves_a_square_as_it_is():
    square = noise(5, 5, 3)
    assert np.array_equal(pad_to_square(square), square)


def test_only_the_background_turns_white():
    pixels, classes = noise(2, 2, 3), np.array([[0, 1], [17, 0]], np.uint8)
    whitened = whiten(pixels, classes)
    assert whitened[0, 0].tolist() == whitened[1, 1].tolist() == list(WHITE)
    assert np.array_equal(whitened[0, 1], pixels[0, 1]) and np.array_equal(whitened[1, 0], pixels[1, 0])


def test_a_finished_subject_comes_back_to_the_bit():
    pixels = noise(512, 512, 3)
    assert np.array_equal(np.asarray(prepare_subject(Image.fromarray(pixels))), pixels)


def test_a_subject_keeps_its_shape_on_a_white_square():
    prepared = prepare_subject(plain(400, 200))
    assert prepared.size == (512, 512)
    assert prepared.getpixel((256, 100)) == WHITE
    assert prepared.getpixel((256, 256)) == (200, 30, 60)


def cut_out(mode):
    """A red square whose surroundings are transparent, and black below."""
    image = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (25, 25, 75, 75))
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P"])
def test_a_cut_out_goes_on_white(mode, tmp_path):
    if mode == "P":
        cut_out("RGBA").quantize(4).save(tmp_path / "cut.png")
        image = open_image(tmp_path / "cut.png")
        assert image.mode == "P"
    else:
        image = cut_out(mode)
    prepared = prepare_subject(image)
    assert prepared.getpixel((5, 5)) == WHITE
    assert prepared.getpixel((256, 256)) != WHITE


@pytest.mark.parametrize("mode", ["L", "CMYK", "1", "P"])
def test_any_mode_becomes_rgb(mode):
    assert prepare_subject(plain(40, 40).convert(mode)).mode == "RGB"


def test_a_picture_is_turned_as_its_exif_data_say(tmp_path):
    image = plain(60, 20)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    opened = open_image(tmp_path / "turned.jpg")
    assert opened.size == (20, 60)
    assert prepare_subject(opened).getpixel((5, 256)) == WHITE


def test_importing_the_face_layer_imports_no_heavy_library():
    code = (
        "import sys, standin_batch.face.subject, standin_batch.face.parse;"
        "print(*{'torch', 'cv2', 'insightface', 'onnxruntime', 'facexlib'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"
