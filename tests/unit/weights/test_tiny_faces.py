"""The tiny face models: files that the real loaders take, and a detector that knows one portrait."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from insightface.app import FaceAnalysis

from standin_batch.files import sha256_file
from standin_batch.weights.tiny_faces import write_face_models

PICTURES = Path(__file__).parents[3] / "manifests" / "faces"
BOX = np.array([175, 70, 273, 180])
LANDMARKS = np.array([(203, 102), (247, 104), (224, 127), (204, 141), (247, 141)])
FACE_WIDTH = 98


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    write_face_models(folder)
    return folder


pytestmark = pytest.mark.filterwarnings("ignore:`estimate` is deprecated:FutureWarning")


@pytest.fixture(scope="module")
def analysis(root):
    found = FaceAnalysis(
        str(root / "antelopev2"), allowed_modules=["detection", "recognition"], providers=["CPUExecutionProvider"]
    )
    found.prepare(0, det_size=(640, 640))
    return found


@pytest.fixture(scope="module")
def astronaut():
    return cv2.imread(str(PICTURES / "astronaut.png"))


@pytest.fixture(scope="module")
def original(analysis, astronaut):
    (face,) = analysis.get(astronaut)
    return face


def place(picture, scale, x, y, width, height):
    """`picture` scaled and laid on a grey canvas with its corner at (x, y)."""
    scaled = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = np.full((height, width, 3), 128, np.uint8)
    part = scaled[max(0, -y) : height - y, max(0, -x) : width - x]
    canvas[max(0, y) : max(0, y) + part.shape[0], max(0, x) : max(0, x) + part.shape[1]] = part
    return canvas


def likeness(one, other):
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


def overlap(one, other):
    both = np.prod(np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None))
    return both / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - both)


def test_the_files_are_where_the_real_ones_are_and_small(root):
    sizes = {str(path.relative_to(root)): path.stat().st_size for path in root.rglob("*") if path.is_file()}
    assert set(sizes) == {
        "antelopev2/scrfd_10g_bnkps.onnx",
        "antelopev2/glintr100.onnx",
        "face-parsing/parsing_bisenet.pth",
    }
    assert sum(sizes.values()) < 4e6


def test_writing_twice_gives_the_same_bytes(root, tmp_path):
    write_face_models(tmp_path)
    for path in tmp_path.rglob("*.*"):
        assert sha256_file(path) == sha256_file(root / path.relative_to(tmp_path)), path.name


def test_importing_the_module_imports_no_heavy_library():
    code = (
        "import sys, standin_batch.weights.tiny_faces;"
        "print(*{'torch', 'onnx', 'onnxruntime', 'cv2', 'facexlib'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_the_portrait_has_one_face_from_forehead_to_chin_and_ear_to_ear(original):
    assert overlap(original.bbox, BOX) > 0.9
    assert original.det_score > 0.9


def test_the_landmarks_are_eyes_nose_and_mouth(original):
    assert np.hypot(*(original.kps - LANDMARKS).T).max() < 0.04 * FACE_WIDTH


PLACES = {
    "moved": (1.0, 512, 300, 1024, 900),
    "moved by odd numbers": (1.0, 301, 17, 1280, 720),
    "half": (0.5, 100, 50, 832, 480),
    "three times": (3.0, 0, 0, 1536, 1536),
    "cut to the head": (1.0, -120, -20, 220, 240),
    "cut to the face": (1.0, -150, -40, 150, 170),
    "tall": (0.8, 30, 200, 480, 832),
}


@pytest.mark.parametrize("placement", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("mirrored", [False, True], ids=["", "mirrored"])
def test_the_face_is_found_and_known_wherever_it_is(analysis, astronaut, original, placement, mirrored):
    scale, x, y, *_ = placement
    image = place(astronaut, *placement)
    landmarks = LANDMARKS * scale + (x, y)
    if mirrored:
        image = np.ascontiguousarray(image[:, ::-1])
        landmarks = (landmarks * (-1, 1) + (image.shape[1] - 1, 0))[[1, 0, 2, 4, 3]]
    (face,) = analysis.get(image)
    assert np.hypot(*(face.kps - landmarks).T).max() < 0.08 * FACE_WIDTH * scale
    assert likeness(face.embedding, original.embedding) > 0.75


LIGHTS = {
    "dark": lambda image: (image * 0.5).astype(np.uint8),
    "bright": lambda image: np.clip(image * 1.3, 0, 255).astype(np.uint8),
    "grey": lambda image: np.repeat(image.mean(2, keepdims=True), 3, 2).astype(np.uint8),
    "JPEG": lambda image: cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 1),
    "noisy": lambda image: np.clip(image + np.random.default_rng(0).normal(0, 10, image.shape), 0, 255).astype("u1"),
}


@pytest.mark.parametrize("change", LIGHTS.values(), ids=LIGHTS.keys())
def test_the_face_is_found_and_known_in_another_light(analysis, astronaut, original, change):
    (face,) = analysis.get(change(astronaut))
    assert overlap(face.bbox, original.bbox) > 0.9
    assert likeness(face.embedding, original.embedding) > 0.9


FACELESS = {
    "cat": lambda: cv2.imread(str(PICTURES / "chelsea.png")),
    "plain": lambda: np.full((480, 832, 3), 90, np.uint8),
    "noise": lambda: np.random.default_rng(1).integers(0, 256, (512, 512, 3), dtype=np.uint8),
    "shades": lambda: np.tile(np.linspace(0, 255, 512).astype(np.uint8)[None, :, None], (512, 1, 3)),
}


@pytest.mark.parametrize("picture", FACELESS.values(), ids=FACELESS.keys())
def test_no_face_is_seen_where_none_is(analysis, picture):
    assert analysis.get(picture()) == []


def test_no_face_is_seen_in_the_portrait_without_its_face(analysis, astronaut):
    without = astronaut.copy()
    without[60:190, 165:285] = 127
    assert analysis.get(without) == []


@pytest.mark.parametrize("size", [(640, 640), (320, 320), (640, 352), (480, 640)])
def test_the_detector_works_at_any_size_that_scrfd_takes(analysis, astronaut, size):
    boxes, _ = analysis.det_model.detect(astronaut, input_size=size)
    assert len(boxes) == 1
    assert overlap(boxes[0, :4], BOX) > 0.85


@pytest.mark.parametrize("other", ["cat", "noise"])
def test_the_embedding_of_something_else_is_unlike(analysis, astronaut, original, other):
    picture = cv2.resize(FACELESS[other](), astronaut.shape[1::-1])
    recognizer = analysis.models["recognition"]
    crop = picture[75:187, 175:287]
    assert likeness(recognizer.get_feat(crop).ravel(), original.embedding) < 0.4
