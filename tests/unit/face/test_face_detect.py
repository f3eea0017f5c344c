"""Finding faces through insightface: what comes back, and what is said when the models are not there."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from standin_batch.errors import ExitCode
from standin_batch.face.detect import Face, FaceModelsMissing, InsightFaceDetector, largest
from standin_batch.weights.tiny_faces import write_face_models

ASTRONAUT = Path(__file__).parents[3] / "manifests" / "faces" / "astronaut.png"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("tiny")
    write_face_models(root)
    return root / "antelopev2"


@pytest.fixture
def no_download(monkeypatch):
    """Any attempt to reach the network is an error of its own kind."""

    def refuse(*_, **__):
        pytest.fail("tried to download")

    monkeypatch.setattr("insightface.app.face_analysis.ensure_available", refuse)


def face(left, top, right, bottom):
    return Face(box=(left, top, right, bottom), landmarks=((0.0, 0.0),) * 5, score=0.9)


def test_a_face_has_box_landmarks_and_score_in_plain_numbers(folder):
    (found,) = InsightFaceDetector(folder, "cpu").detect(cv2.imread(str(ASTRONAUT)))
    left, top, right, bottom = found.box
    assert 160 < left < 190 and 60 < top < 80 and 265 < right < 285 and 170 < bottom < 190
    assert len(found.landmarks) == 5
    assert all(left < x < right and top < y < bottom for x, y in found.landmarks)
    assert isinstance(found.score, float) and 0.5 < found.score <= 1
    assert found.embedding is None


def test_the_embedding_comes_when_asked_for(folder):
    (found,) = InsightFaceDetector(folder, "cpu", with_embedding=True).detect(cv2.imread(str(ASTRONAUT)))
    assert found.embedding is not None
    assert found.embedding.shape == (512,)


def test_an_image_without_a_face_gives_none(folder):
    assert InsightFaceDetector(folder, "cpu").detect(np.full((300, 200, 3), 200, np.uint8)) == []


def test_nothing_reaches_standard_output(folder, capfd):
    InsightFaceDetector(folder, "cpu", with_embedding=True).detect(cv2.imread(str(ASTRONAUT)))
    assert capfd.readouterr().out == ""


def test_a_gpu_that_onnxruntime_cannot_use_leaves_the_cpu(folder, monkeypatch):
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    assert InsightFaceDetector(folder, "cuda:0").detect(cv2.imread(str(ASTRONAUT)))


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()], ids=["no folder", "empty folder"])
def test_missing_models_are_named_with_a_cure_and_never_downloaded(tmp_path, no_download, make):
    make(tmp_path / "antelopev2")
    with pytest.raises(FaceModelsMissing, match="no face models") as caught:
        InsightFaceDetector(tmp_path / "antelopev2", "cpu")
    assert "DIAMONIK7777/antelopev2" in caught.value.hint
    assert caught.value.exit_code == ExitCode.NOT_READY


def test_models_one_folder_too_deep_come_with_the_command_that_moves_them(tmp_path, no_download):
    inner = tmp_path / "my weights" / "antelopev2" / "antelopev2"
    inner.mkdir(parents=True)
    (inner / "scrfd_10g_bnkps.onnx").touch()
    with pytest.raises(FaceModelsMissing, match="one folder too deep") as caught:
        InsightFaceDetector(inner.parent, "cpu")
    assert caught.value.hint == f"mv '{inner}'/*.onnx '{inner.parent}'/"


def test_a_damaged_model_is_said_to_be_one(tmp_path, no_download):
    (tmp_path / "scrfd_10g_bnkps.onnx").write_bytes(b"not a model")
    with pytest.raises(FaceModelsMissing, match="cannot be loaded"):
        InsightFaceDetector(tmp_path, "cpu")


@pytest.mark.parametrize(
    ("kept", "missing"), [("glintr100.onnx", "detector"), ("scrfd_10g_bnkps.onnx", "recognition model")]
)
def test_a_pack_that_lacks_a_model_is_refused(folder, tmp_path, no_download, kept, missing):
    (tmp_path / kept).write_bytes((folder / kept).read_bytes())
    with pytest.raises(FaceModelsMissing, match=missing):
        InsightFaceDetector(tmp_path, "cpu", with_embedding=True)


def test_the_largest_face_has_the_largest_box():
    small, large, wide = face(0, 0, 10, 10), face(50, 50, 90, 80), face(0, 0, 100, 5)
    assert largest([small, large, wide]) is large


def test_no_face_is_largest_among_none():
    assert largest([]) is None
