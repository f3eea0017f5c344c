"""Parsing a head: BiSeNet through facexlib, on the tiny model's oval."""

import numpy as np
import pytest

from standin_batch.errors import ExitCode
from standin_batch.face.detect import FaceModelsMissing
from standin_batch.face.parse import FILE_NAME, BiSeNetParser
from standin_batch.weights.tiny_faces import write_face_models


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("tiny")
    write_face_models(root)
    return root / "face-parsing"


@pytest.fixture(scope="module")
def parser(folder):
    return BiSeNetParser(folder, "cpu")


@pytest.fixture
def no_download(monkeypatch):
    def refuse(*_, **__):
        pytest.fail("tried to download")

    monkeypatch.setattr("facexlib.utils.misc.download_url_to_file", refuse)


def head():
    """The ellipse that the tiny parser is made to see."""
    y, x = (np.mgrid[:512, :512] + 0.5) / 512
    return ((y - 0.52) / 0.44) ** 2 + ((x - 0.5) / 0.36) ** 2 <= 1


def noise():
    return np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)


def test_each_pixel_gets_a_class(parser):
    classes = parser.classes(noise())
    assert classes.shape == (512, 512)
    assert classes.dtype == np.uint8


def test_the_tiny_model_sees_an_oval_head_of_skin_before_background(parser):
    classes = parser.classes(noise())
    assert set(np.unique(classes)) == {0, 1}
    skin = classes == 1
    assert (skin & head()).sum() / (skin | head()).sum() > 0.9


def test_the_tiny_head_is_the_same_in_every_image_and_on_both_sides(parser):
    classes = parser.classes(noise())
    assert np.array_equal(classes, parser.classes(np.zeros((512, 512, 3), np.uint8)))
    assert np.array_equal(classes, classes[:, ::-1])


def test_read_only_and_turned_pixels_are_taken(parser):
    pixels = noise()[::-1]
    pixels.flags.writeable = False
    assert parser.classes(pixels).shape == (512, 512)


def test_a_missing_file_is_named_with_a_cure_and_never_downloaded(tmp_path, no_download):
    with pytest.raises(FaceModelsMissing, match=FILE_NAME) as caught:
        BiSeNetParser(tmp_path, "cpu")
    assert "release v0.2.0" in caught.value.hint
    assert caught.value.exit_code == ExitCode.NOT_READY


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04cut short"])
def test_a_damaged_file_is_said_to_be_one(tmp_path, no_download, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(FaceModelsMissing, match="cannot be loaded"):
        BiSeNetParser(tmp_path, "cpu")
