"""A whole clip made ready: who is followed, which frames and pixels change, and what the report says of it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from standin_batch.errors import ExitCode
from standin_batch.face.detect import Face, InsightFaceDetector
from standin_batch.face.parse import BiSeNetParser
from standin_batch.face.paste import source_face
from standin_batch.face.subject import NoFaceError
from standin_batch.face.swap import FacelessFramesError, embedding_of, latent_mask, swap_faces
from standin_batch.face.track import MAX_GAP, TargetError
from standin_batch.weights.tiny_faces import write_face_models

ASTRONAUT = Path(__file__).parents[3] / "manifests" / "faces" / "astronaut.png"
EYES = np.array([(203, 102), (247, 104)])
HEAD = (90, 0, 370, 250)
"""What of the portrait shows the head."""

WIDTH, HEIGHT = 480, 272
LARGE, SMALL = 0.7, 0.45
ABSENT, ALONE = range(3, 5), range(2)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("tiny")
    write_face_models(root)
    detector = InsightFaceDetector(root / "antelopev2", "cpu", with_embedding=True)
    return detector, BiSeNetParser(root / "face-parsing", "cpu")


@pytest.fixture(scope="module")
def photo():
    return Image.open(ASTRONAUT).convert("RGB")


@pytest.fixture(scope="module")
def astronaut(photo, models):
    return source_face(photo, *models)


def corner_of_the_large(index):
    return 10 + 8 * index, 40 + 2 * index


def corner_of_the_small(index):
    return 340 - 5 * index, 120


@pytest.fixture(scope="module")
def clip(photo):
    """Nine frames: a large blue face that moves right, absent from two; and a small one, absent from the first two."""
    blue = np.clip(np.asarray(photo.crop(HEAD)) * (0.45, 0.7, 1.0), 0, 255).astype(np.uint8)
    frames = np.full((9, HEIGHT, WIDTH, 3), 128, np.uint8)
    for index, frame in enumerate(frames):
        if index not in ABSENT:
            lay(frame, blue, LARGE, corner_of_the_large(index))
        if index not in ALONE:
            lay(frame, blue, SMALL, corner_of_the_small(index))
    return frames


def lay(frame, picture, scale, corner):
    scaled = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    (x, y), (height, width) = corner, scaled.shape[:2]
    frame[y : y + height, x : x + width] = scaled


def between_the_eyes(corner, scale):
    x, y = np.round(np.add(corner, (EYES.mean(axis=0) - HEAD[:2]) * scale)).astype(int)
    return y, x


def blueness(pixel):
    red, _, blue = (int(value) for value in pixel)
    return blue - red


@pytest.fixture(scope="module")
def swapped(clip, astronaut, models):
    return swap_faces(clip, astronaut, *models)


def test_the_larger_persons_face_is_replaced_wherever_it_is_and_nobody_elses(clip, swapped):
    for index, (before, after) in enumerate(zip(clip, swapped.frames, strict=True)):
        large = between_the_eyes(corner_of_the_large(index), LARGE)
        small = between_the_eyes(corner_of_the_small(index), SMALL)
        if index not in ABSENT:
            assert blueness(before[large]) > 0 > blueness(after[large])
        if index not in ALONE:
            assert np.array_equal(before[small], after[small])


def test_nothing_changes_outside_the_mask(clip, swapped):
    assert swapped.frames.shape == clip.shape and swapped.frames.dtype == np.uint8
    assert swapped.mask.shape == clip.shape[:3] and swapped.mask.dtype == np.float32
    assert np.array_equal(swapped.frames[swapped.mask == 0], clip[swapped.mask == 0])
    assert swapped.mask.min() >= 0 and swapped.mask.max() <= 1


def test_frames_without_the_face_stay_as_they_are_with_an_empty_mask(clip, swapped):
    assert np.array_equal(swapped.frames[3:5], clip[3:5])
    assert not swapped.mask[3:5].any()


def test_the_report_tells_frames_per_face_in_plain_values(swapped):
    report = json.loads(json.dumps(swapped.report))
    assert report == swapped.report
    large, small = report.pop("faces")
    assert report == {"frames": 9, "replaced": 7, "interpolated": 0, "without_face": [[3, 4]]}
    assert large.pop("mean_side") == pytest.approx(110 * LARGE, rel=0.1)
    assert large == {"frames": 7, "first": 0, "last": 8, "replaced": True}
    assert small.pop("mean_side") == pytest.approx(110 * SMALL, rel=0.1)
    assert small == {"frames": 7, "first": 2, "last": 8, "replaced": False}


def test_the_same_clip_gives_the_same_bytes(clip, swapped, astronaut, models):
    again = swap_faces(clip[:2], astronaut, *models)
    assert again.frames.tobytes() == swapped.frames[:2].tobytes()
    assert again.mask.tobytes() == swapped.mask[:2].tobytes()


def test_interpolation_puts_the_face_where_it_must_have_been(clip, swapped, astronaut, models):
    filled = swap_faces(clip, astronaut, *models, frames_without_face="interpolate")
    for index in ABSENT:
        y, x = between_the_eyes(corner_of_the_large(index), LARGE)
        assert filled.mask[index, y, x] > 0.999
    assert filled.report == swapped.report | {"replaced": 9, "interpolated": 2}
    assert np.array_equal(filled.frames[:3], swapped.frames[:3])


def test_frames_without_the_face_can_be_an_error_that_names_them(clip, astronaut, models):
    with pytest.raises(FacelessFramesError, match="not found in frames 1-2 of 4") as caught:
        swap_faces(clip[2:6], astronaut, *models, frames_without_face="error")
    assert "frames_without_face: keep" in caught.value.hint
    assert caught.value.exit_code == ExitCode.JOBS_FAILED


def test_a_clip_with_the_face_in_every_frame_is_no_error(clip, astronaut, models):
    assert swap_faces(clip[:3], astronaut, *models, frames_without_face="error").report["without_face"] == []


def test_another_person_can_be_meant_by_number(clip, astronaut, models):
    report = swap_faces(clip[2:3], astronaut, *models, target=1).report
    assert [person["replaced"] for person in report["faces"]] == [False, True]


def test_without_a_source_nothing_is_pasted_and_the_mask_is_the_faces_own(clip, swapped, models):
    found = swap_faces(clip[2:6], None, *models, frames_without_face="interpolate")
    assert np.array_equal(found.frames, clip[2:6])
    own, pasted = found.mask[0] > 0.5, swapped.mask[2] > 0.5
    assert (own & pasted).sum() / (own | pasted).sum() > 0.8
    assert found.mask[1].any() and found.mask[2].any(), "interpolated boxes have masks too"


def test_the_clip_itself_is_left_alone(clip, astronaut, models):
    before = clip[:1].copy()
    swap_faces(before, astronaut, *models)
    assert np.array_equal(before, clip[:1])


def test_a_clip_without_faces_is_an_error_whatever_the_policy(models):
    with pytest.raises(TargetError, match="no face was found in any frame"):
        swap_faces(np.full((2, 64, 64, 3), 90, np.uint8), None, *models)


def test_a_photograph_finds_the_person_it_shows(clip, photo, models):
    found = swap_faces(clip[:1], None, *models, like=embedding_of(photo, models[0]))
    assert found.report["faces"][0]["replaced"]


def test_a_photograph_of_somebody_else_is_an_error(clip, photo, models):
    with pytest.raises(TargetError, match="looks like the photograph"):
        swap_faces(clip[:1], None, *models, like=-embedding_of(photo, models[0]))


def test_a_photograph_needs_a_face_with_an_embedding(photo):
    with pytest.raises(NoFaceError):
        embedding_of(photo, Script([[]]))
    with pytest.raises(TargetError, match="without embedding"):
        embedding_of(photo, Script([[box(0, 0)]]))


class Script:
    """A detector that finds in one frame after the other what is written."""

    def __init__(self, frames):
        self.frames = iter(frames)

    def detect(self, image_bgr):
        self.seen = image_bgr
        return next(self.frames)


class AllSkin:
    def classes(self, image_rgb):
        return np.ones(image_rgb.shape[:2], np.uint8)


def box(x, y, side=20.0):
    return Face(box=(x, y, x + side, y + side), landmarks=((x, y),) * 5, score=1.0)


@pytest.mark.parametrize(
    ("found", "ranges", "words"),
    [
        ("-#", [[0, 0]], "frame 0 of 2"),
        ("--#-##-", [[0, 1], [3, 3], [6, 6]], "frames 0-1, 3, 6 of 7"),
        ("#", [], None),
    ],
)
def test_frames_without_a_face_are_reported_as_ranges(found, ranges, words):
    faces = [[box(30, 30)] if mark == "#" else [] for mark in found]
    frames = np.zeros((len(found), 80, 80, 3), np.uint8)
    assert swap_faces(frames, None, Script(faces), AllSkin()).report["without_face"] == ranges
    if words:
        with pytest.raises(FacelessFramesError, match=words):
            swap_faces(frames, None, Script(faces), AllSkin(), frames_without_face="error")


def test_interpolation_leaves_both_ends_and_long_absences_alone():
    looks = np.eye(512, dtype=np.float32)[0]
    known = Face(box=(30.0, 30.0, 50.0, 50.0), landmarks=((0.0, 0.0),) * 5, score=1.0, embedding=looks)
    faces = [[], [known], [], [known], *[[]] * (MAX_GAP + 1), [known], []]
    frames = np.zeros((len(faces), 80, 80, 3), np.uint8)
    report = swap_faces(frames, None, Script(faces), AllSkin(), frames_without_face="interpolate").report
    assert (report["replaced"], report["interpolated"]) == (4, 1)


def test_a_face_of_which_no_pixel_is_seen_counts_as_not_replaced():
    frames = np.zeros((1, 80, 80, 3), np.uint8)
    report = swap_faces(frames, None, Script([[box(500, 500)]]), AllSkin()).report
    assert (report["replaced"], report["without_face"]) == (0, [])


def test_the_detector_sees_frames_in_bgr():
    detector = Script([[box(30, 30)]])
    swap_faces(np.full((1, 80, 80, 3), (10, 20, 30), np.uint8), None, detector, AllSkin())
    assert tuple(detector.seen[0, 0]) == (30, 20, 10)


@pytest.mark.parametrize(("frame", "latent"), [(0, 0), (1, 1), (4, 1), (5, 2), (8, 2)])
def test_one_pixel_of_one_frame_opens_its_place_in_the_latent(frame, latent):
    mask = np.zeros((9, 32, 48), np.float32)
    mask[frame, 15, 24] = 1
    opened = latent_mask(mask)
    assert opened.shape == (3, 4, 6) and opened.dtype == np.bool_
    assert np.argwhere(opened).tolist() == [[latent, 1, 3]]


@pytest.mark.parametrize(("value", "opened"), [(0.49, False), (0.51, True), (0.76, True)])
def test_more_than_half_opens(value, opened):
    assert latent_mask(np.full((1, 8, 8), value, np.float32)).item() is opened


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 4), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_every_pixel_that_may_change_lies_in_an_open_place_and_every_open_place_has_one(n, rows, columns, seed):
    random = np.random.default_rng(seed)
    mask = (random.random((4 * n + 1, 8 * rows, 8 * columns)) * (random.random() * 0.1 + 0.45)).astype(np.float32)
    opened = latent_mask(mask)
    frames, ys, xs = np.nonzero(mask > 0.5)
    assert {(-(-t // 4), y // 8, x // 8) for t, y, x in zip(frames, ys, xs, strict=True)} == set(
        map(tuple, np.argwhere(opened))
    )


@pytest.mark.parametrize("shape", [(4, 8, 8), (5, 12, 8), (5, 8, 12)])
def test_sizes_that_no_latent_has_are_refused(shape):
    with pytest.raises(ValueError, match="reshape"):
        latent_mask(np.zeros(shape, np.float32))
