"""The detector's lesson, and its file: what insightface makes of it is what the network says."""

import cv2
import numpy as np
import onnxruntime
import pytest
import torch

from training.faces.detector import DetectorLesson, lesson
from training.faces.detector_net import STRIDE, DetectorNet, Truth, loss, targets
from training.faces.pictures import in_scene, nobody, on_white, someone
from training.world.scene import STYLES

CELLS = 16
FACE = np.array([(40, 40), (72, 72), (48, 50), (64, 50), (56, 58), (50, 64), (62, 64)], np.float32)


def said(truth, logit=8.0):
    """What a network says that knows the truth, `[1, 15, 16, 16]`."""
    score, _, answers, _ = targets([truth], CELLS, CELLS)
    logits = torch.where(score > 0, logit, -logit)
    return torch.cat([logits[..., None], answers], dim=-1).permute(0, 3, 1, 2)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    made = DetectorNet().eval()
    torch.nn.init.normal_(made.head.weight, std=0.5)
    return made


@pytest.fixture(scope="module")
def session(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("detector")
    DetectorLesson().write(network, folder)
    return onnxruntime.InferenceSession(str(folder / "antelopev2" / "scrfd_10g_bnkps.onnx"))


def run(session, image):
    return dict(
        zip((output.name for output in session.get_outputs()), session.run(None, {"image": image}), strict=True)
    )


def test_the_cell_nearest_to_a_faces_middle_is_to_find_it():
    score, _, answers, sides = targets([Truth(FACE)], CELLS, CELLS)
    assert score[0, 7, 7] == 1
    assert score.sum() == 1
    assert (answers[0, 7, 7, :4] * STRIDE).tolist() == [16, 16, 16, 16]
    assert (answers[0, 7, 7, 4:6] * STRIDE).tolist() == [48 - 56, 50 - 56]
    assert sides.item() * STRIDE == 32


@pytest.mark.parametrize("scale", [0.25, 4.0])
def test_faces_that_are_too_small_or_too_large_are_not_to_be_found(scale):
    middle = FACE[:2].mean(axis=0)
    score, counts, _, _ = targets([Truth((FACE - middle) * np.float32(scale) + middle)], CELLS, CELLS)
    assert score.sum() == 0
    assert counts.min() == 1


def test_whoever_says_what_is_right_has_next_to_no_loss():
    truth = targets([Truth(FACE)], CELLS, CELLS)
    right = loss(said(Truth(FACE)), truth)
    assert right < 1e-3
    assert loss(said(Truth(None)), truth) > 1
    assert loss(said(Truth(FACE + 3)), truth) > 100 * right


def test_in_every_lesson_the_face_is_upright_and_left_is_left():
    rng = np.random.default_rng(0)
    album = [nobody(rng), *(in_scene(rng, someone(rng), style) for style in STYLES), on_white(rng, someone(rng), 256)]
    lessons = [lesson(album, rng) for _ in range(40)]
    assert all(pixels.shape == (128, 128, 3) for pixels, _ in lessons)
    assert {truth.points is None for _, truth in lessons} == {True, False}
    for _, truth in lessons:
        if truth.points is not None:
            eye, other, nose, left, right = truth.points[2:]
            assert eye[0] < nose[0] < other[0]
            assert left[0] < right[0]
            assert max(eye[1], other[1]) < min(left[1], right[1])


@pytest.mark.parametrize(("width", "height"), [(96, 96), (128, 96), (640, 640)])
def test_every_stride_has_two_anchors_a_cell(session, width, height):
    found = run(session, np.zeros((1, 3, height, width), np.float32))
    for stride in (8, 16, 32):
        anchors = 2 * (height // stride) * (width // stride)
        assert found[f"score_{stride}"].shape == (anchors, 1)
        assert found[f"box_{stride}"].shape == (anchors, 4)
        assert found[f"landmarks_{stride}"].shape == (anchors, 10)


def test_the_outputs_are_in_scrfds_order(session):
    kinds = [output.name.split("_")[0] for output in session.get_outputs()]
    assert kinds == ["score"] * 3 + ["box"] * 3 + ["landmarks"] * 3


def test_the_first_anchor_of_the_finest_stride_says_what_the_network_says(session, network):
    image = np.random.default_rng(0).normal(size=(1, 3, 128, 128)).astype(np.float32)
    found = run(session, image)
    with torch.no_grad():
        answers = network(torch.from_numpy(image))[0].permute(1, 2, 0).reshape(-1, 15).numpy()
    assert np.allclose(found["score_8"][::2, 0], 1 / (1 + np.exp(-answers[:, 0])), atol=5e-3)
    # In pixels from the middle of the first, not from its corner.
    shift = np.array([-0.5, -0.5, 0.5, 0.5]) / STRIDE
    assert np.allclose(found["box_8"][::2], answers[:, 1:5] - shift, atol=2e-2)
    assert np.allclose(found["landmarks_8"][::2], answers[:, 5:] - 0.5 / STRIDE, atol=2e-2)
    assert not found["score_8"][1::2].any()


@pytest.mark.parametrize("times", [2, 4, 8])
def test_a_picture_that_is_larger_is_seen_as_large_by_the_other_anchors(session, times):
    """Each anchor looks at the image shrunk; the network's cells of 64 pixels are every other cell of 32."""
    stride, anchor, every = min(8 * times, 32), int(times == 8), max(times // 4, 1)
    small = np.random.default_rng(1).normal(size=(4, 4, 3)).astype(np.float32)
    one, other = (
        run(session, cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC).transpose(2, 0, 1)[None])
        for side in (64, 64 * times)
    )
    cells = 64 * times // stride
    for kind, off in (("score", 2e-3), ("box", 0.05), ("landmarks", 0.05)):
        rows = other[f"{kind}_{stride}"].reshape(cells, cells, 2, -1)[::every, ::every, anchor]
        # A picture that is twice as large is half a pixel nearer to its corner, seen from the middle of the first.
        seen = one[f"{kind}_8"].reshape(8, 8, 2, -1)[:, :, 0]
        assert np.allclose(rows / (every if kind != "score" else 1), seen, atol=off * (8 if kind != "score" else 1))
