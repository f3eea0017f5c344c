"""A folder of photographs: what of it is used, in which order, and who has a face."""

from __future__ import annotations

import os
import sys

import pytest
from PIL import Image

from standin_batch.errors import UsageError
from standin_batch.face.detect import Face
from standin_batch.media.image import READ
from standin_batch.run.photographs import SUFFIXES, detecting, found_in, looked_at


class Bright:
    """Sees a face in whatever is light."""

    def detect(self, image_bgr):
        return [Face((0, 0, 1, 1), (), 1.0)] if image_bgr.mean() > 128 else []


def picture(path, colour="white", **options):
    Image.new("RGB", (64, 48), colour).save(path, **options)
    return path


def names(found):
    return [item.name if hasattr(item, "name") else item.path.name for item in found]


def test_a_folder_is_read_as_people_sort(tmp_path):
    for name in ("b10.png", "b9.png", "A1.PNG", ".hidden.png", "a2.jpeg"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "below.png").mkdir()
    pictures, others = found_in([tmp_path])
    assert names(pictures) == ["A1.PNG", "a2.jpeg", "b9.png", "b10.png"]
    assert [(other.path.name, other.why) for other in others] == [("notes.txt", "no picture")]


def test_files_are_taken_in_their_order_whatever_they_are_called(tmp_path):
    files = [tmp_path / name for name in ("two", "one.dat", "two")]
    for file in files:
        picture(file, format="PNG")
    pictures, others = found_in(files)
    assert (names(pictures), others) == (["two", "one.dat"], [])
    assert names(looked_at(pictures, None)[0]) == ["two", "one.dat"]


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(UsageError, match="there is no"):
        found_in([tmp_path / "none"])


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "heic", "avif", "tiff", "bmp", "gif"])
def test_what_cameras_and_phones_write_can_be_used(tmp_path, suffix):
    if suffix == "heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    picture(tmp_path / f"ada.{suffix}")
    usable, broken = looked_at(found_in([tmp_path])[0], None)
    assert (names(usable), broken) == ([f"ada.{suffix}"], [])


def test_every_kind_of_picture_that_can_be_read_is_found_by_its_name():
    import pillow_heif

    pillow_heif.register_heif_opener()
    readable = {suffix for suffix, kind in Image.registered_extensions().items() if kind in READ}
    assert readable <= SUFFIXES


def test_what_cannot_be_opened_is_left_out_with_the_reason(tmp_path):
    (tmp_path / "broken.jpg").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    picture(tmp_path / "fine.png")
    passed = []
    usable, broken = looked_at(found_in([tmp_path])[0], None, passed.append)
    assert names(usable) == ["fine.png"]
    assert names(passed) == ["broken.jpg", "empty.png", "fine.png"]
    assert {item.path.name: item.why for item in broken} == {
        "broken.jpg": "it is not a picture that can be read here",
        "empty.png": "it is not a picture that can be read here",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are text")
def test_a_name_that_is_no_text_is_left_out(tmp_path):
    picture(tmp_path / "fine.png")
    (tmp_path / "fine.png").rename(tmp_path / os.fsdecode(b"\xff.png"))
    usable, broken = looked_at(found_in([tmp_path])[0], None)
    assert usable == []
    assert "rename it" in broken[0].why


def test_who_has_a_face_is_found_out_if_somebody_looks(tmp_path):
    paths = [picture(tmp_path / "light.png"), picture(tmp_path / "dark.png", "black")]
    assert [photograph.has_face for photograph in looked_at(paths, Bright())[0]] == [True, False]
    assert [photograph.has_face for photograph in looked_at(paths, None)[0]] == [None, None]


def test_the_tiny_model_looks_before_it_is_made(manifests, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    faces = [manifests / "faces" / name for name in ("astronaut.png", "chelsea.png")]
    with detecting("tiny", None) as detector:
        assert [photograph.has_face for photograph in looked_at(faces, detector)[0]] == [True, False]
    assert list(tmp_path.iterdir()) == []


def test_nobody_looks_where_there_are_no_models(tmp_path):
    for model in ("tiny", "wan2.1-t2v-14b"):
        with detecting(model, tmp_path) as detector:
            assert detector is None
