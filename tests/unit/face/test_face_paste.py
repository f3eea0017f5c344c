"""A face laid over another: the transform between their landmarks, the masks, and the pixels that result."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from standin_batch.face.detect import Face, InsightFaceDetector
from standin_batch.face.parse import BiSeNetParser
from standin_batch.face.paste import FACE_CLASSES, Source, face_mask, paste, similarity, soften, source_face
from standin_batch.face.subject import NoFaceError
from standin_batch.weights.tiny_faces import write_face_models

ASTRONAUT = Path(__file__).parents[3] / "manifests" / "faces" / "astronaut.png"
LANDMARKS = np.array([(203, 102), (247, 104), (224, 127), (204, 141), (247, 141)])
FIVE = np.array([(180.0, 200), (330, 200), (256, 290), (195, 360), (320, 360)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("tiny")
    write_face_models(root)
    return root


@pytest.fixture(scope="module")
def detector(folder):
    return InsightFaceDetector(folder / "antelopev2", "cpu")


@pytest.fixture(scope="module")
def parser(folder):
    return BiSeNetParser(folder / "face-parsing", "cpu")


@pytest.fixture(scope="module")
def photo():
    return Image.open(ASTRONAUT).convert("RGB")


@pytest.fixture(scope="module")
def astronaut(photo, detector, parser):
    return source_face(photo, detector, parser)


class Finds:
    """A detector that finds what it was told to find."""

    def __init__(self, *faces):
        self.faces = list(faces)

    def detect(self, image_bgr):
        return self.faces


class Sees:
    """A parser that sees one class in a box of the square, and another around it."""

    def __init__(self, inside, outside=0, box=(128, 128, 384, 384)):
        self.left, self.top, self.right, self.bottom = box
        self.inside, self.outside = inside, outside

    def classes(self, image_rgb):
        classes = np.full(image_rgb.shape[:2], self.outside, np.uint8)
        classes[self.top : self.bottom, self.left : self.right] = self.inside
        return classes


def face(left, top, right, bottom, landmarks=FIVE):
    return Face(box=(left, top, right, bottom), landmarks=tuple(map(tuple, landmarks)), score=1.0)


def plain_source(colour=(200, 100, 50)):
    """A square of one colour, of which the middle is pasted."""
    mask = np.zeros((512, 512), bool)
    mask[128:384, 128:384] = True
    return Source(np.full((512, 512, 3), colour, np.uint8), soften(mask), FIVE)


def apply(transform, points):
    return points @ transform[:, :2].T + transform[:, 2]


def turned(points, scale, angle, x, y):
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return apply(np.array([(cos, -sin, x), (sin, cos, y)]), points)


within = st.floats(-500, 500)
five_points = st.lists(st.tuples(within, within), min_size=5, max_size=5).map(np.array)


@given(st.floats(0.01, 20), st.floats(-3.14, 3.14), within, within)
def test_a_similarity_is_found_again(scale, angle, x, y):
    target = turned(FIVE, scale, angle, x, y)
    np.testing.assert_allclose(apply(similarity(FIVE, target), FIVE), target, atol=1e-8)


@given(five_points, five_points, st.integers(0, 3), st.sampled_from([-1e-3, 1e-3]))
def test_no_other_similarity_comes_nearer_to_any_points(source, target, which, step):
    assume(np.ptp(source, axis=0).max() > 1)
    found = similarity(source, target)
    a, b = complex(found[0, 0], found[1, 0]), complex(found[0, 2], found[1, 2])
    other = np.array([a.real, a.imag, b.real, b.imag])
    other[which] += step
    moved = np.array([(other[0], -other[1], other[2]), (other[1], other[0], other[3])])
    near, far = (((apply(one, source) - target) ** 2).sum() for one in (found, moved))
    assert near <= far * (1 + 1e-9)


def test_a_mirror_image_is_not_made():
    found = similarity(FIVE, FIVE * (-1, 1))
    assert np.linalg.det(found[:, :2]) >= 0


def test_the_source_is_the_face_with_landmarks_where_they_are_in_the_square(astronaut):
    assert astronaut.pixels.shape == (512, 512, 3) and astronaut.pixels.dtype == np.uint8
    assert astronaut.mask.shape == (512, 512) and astronaut.mask.dtype == np.float32
    left_eye, right_eye, nose, *mouth = astronaut.landmarks
    assert left_eye == pytest.approx((190, 185), abs=8) and right_eye == pytest.approx((335, 193), abs=8)
    assert nose == pytest.approx((260, 255), abs=25)
    assert all(290 < y < 350 for _, y in mouth)


def test_the_face_that_gives_the_source_is_the_largest_not_the_first(photo):
    small, large = face(10, 10, 50, 50, FIVE / 10), face(100, 100, 300, 300, FIVE)
    source = source_face(photo, Finds(small, large), Sees(1))
    # Of the face from 100 to 300 the square shows 50 to 350.
    np.testing.assert_allclose(source.landmarks, (FIVE - 50 + 0.5) * 512 / 300 - 0.5)


@pytest.mark.parametrize(
    ("detector", "reason"), [(Finds(), "no face was found"), (Finds(face(100, 100, 300, 300)), "parser")]
)
def test_a_picture_without_a_face_is_an_error_with_a_cure(photo, detector, reason):
    with pytest.raises(NoFaceError, match=reason) as caught:
        source_face(photo, detector, Sees(17, outside=0))
    assert caught.value.hint


def test_face_is_skin_brows_eyes_glasses_ears_nose_and_mouth_but_no_neck_clothes_hair_or_hat(photo):
    seen = {}
    for number in range(19):
        try:
            source_face(photo, Finds(face(100, 100, 300, 300)), Sees(number))
            seen[number] = True
        except NoFaceError:
            seen[number] = False
    assert [number for number, is_face in seen.items() if is_face] == list(range(1, 14)) == list(FACE_CLASSES)


def test_the_mask_is_larger_than_the_face_and_soft_at_its_edge():
    small = np.zeros((512, 512), bool)
    small[128:384, 128:384] = True
    row = soften(small)[256]
    assert row[256] > 0.999 and row[90] == 0
    assert row[128] > 0.7, "the face itself stays"
    assert 0.1 < row[122] < 0.9, "beyond it the mask fades"
    assert np.abs(np.diff(row)).max() < 0.1


def test_a_face_cut_off_by_its_photograph_fades_out_before_the_edge(photo):
    """The box hangs over the photograph's left edge: beyond it the square is white padding."""
    source = source_face(photo, Finds(face(-60, 100, 120, 300)), Sees(1, outside=1))
    padded = (source.pixels == 255).all(axis=(0, 2))
    assert padded[:20].all(), "the case has padding"
    assert source.mask[:, padded].max() == 0
    assert source.mask[0].max() == source.mask[-1].max() == source.mask[:, -1].max() == 0
    assert source.mask[256, 256] > 0.999


def test_a_frame_gets_the_face_where_its_landmarks_are():
    frame = np.zeros((400, 600, 3), np.uint8)
    pasted, mask = paste(frame, FIVE / 4 + (300, 100), plain_source())
    # The pasted middle, 128 to 384, comes to a quarter of that, and (300, 100) further.
    assert tuple(pasted[164, 364]) == (200, 100, 50) and mask[164, 364] > 0.999
    rows, columns = (np.flatnonzero((mask > 0.5).any(axis=axis)) for axis in (1, 0))
    assert (rows[0], rows[-1]) == pytest.approx((131, 197), abs=1)
    assert (columns[0], columns[-1]) == pytest.approx((331, 397), abs=1)
    assert not pasted[mask == 0].any()
    assert not frame.any(), "the frame itself stays as it is"


@pytest.mark.parametrize("scale", [0.05, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_the_masks_middle_lands_where_the_landmarks_say_at_any_size_and_angle(scale, angle):
    target = turned(FIVE, scale, angle, 150, 20)
    _, mask = paste(np.zeros((1700, 1500, 3), np.uint8), target, plain_source())
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    middle = (x * mask).sum() / mask.sum(), (y * mask).sum() / mask.sum()
    expected = turned(np.array([(255.5, 255.5)]), scale, angle, 150, 20)[0]
    assert middle == pytest.approx(expected, abs=0.03)


def test_colours_are_mixed_by_the_mask_and_rounded_to_nearest():
    frame = np.full((512, 512, 3), 17, np.uint8)
    source = plain_source((200, 100, 50))
    pasted, mask = paste(frame, FIVE, source)
    exact = 17 + (np.array([200, 100, 50]) - 17) * mask[..., None].astype(np.float64)
    assert np.abs(pasted - exact).max() <= 0.5 + 1e-4


def test_a_face_is_averaged_not_sampled_when_it_shrinks():
    y, x = np.mgrid[:512, :512]
    checks = np.repeat(((x // 4 + y // 4) % 2 * 255).astype(np.uint8)[..., None], 3, 2)
    source = Source(checks, plain_source().mask, FIVE)
    pasted, mask = paste(np.full((100, 100, 3), 128, np.uint8), FIVE / 8, source)
    assert np.abs(pasted[mask > 0.999].astype(int) - 128).max() < 30


def test_a_face_beyond_the_frame_changes_nothing_and_one_at_its_edge_only_the_inside():
    frame = np.full((100, 100, 3), 9, np.uint8)
    pasted, mask = paste(frame, FIVE + 5000, plain_source())
    assert np.array_equal(pasted, frame) and not mask.any()
    pasted, mask = paste(frame, FIVE / 4 - (60, 60), plain_source())
    assert tuple(pasted[0, 0]) == (200, 100, 50) and tuple(pasted[99, 99]) == (9, 9, 9)


@pytest.mark.parametrize("landmarks", [np.zeros((5, 2)), np.full((5, 2), 50.0)])
def test_landmarks_in_one_point_change_nothing(landmarks):
    _, mask = paste(np.zeros((100, 100, 3), np.uint8), landmarks, plain_source())
    assert not mask.any()


def test_pasting_twice_gives_the_same_bytes(astronaut, photo):
    one, other = (paste(np.asarray(photo), turned(FIVE, 0.4, 0.2, 30, 60), astronaut) for _ in range(2))
    assert one[0].tobytes() == other[0].tobytes() and one[1].tobytes() == other[1].tobytes()


def test_a_face_pasted_onto_itself_changes_little(photo, detector, astronaut):
    frame = np.asarray(photo)
    (found,) = detector.detect(frame[..., ::-1].copy())
    pasted, mask = paste(frame, found.landmarks, astronaut)
    assert mask.sum() > 5000
    assert np.abs(pasted.astype(int) - frame)[mask > 0].mean() < 2


def test_a_pasted_face_is_found_where_it_was_pasted(astronaut, photo, detector):
    target = np.array(LANDMARKS) * 1.5 + (200, -20)
    frame = np.full((480, 832, 3), 128, np.uint8)
    head = np.asarray(photo.crop((90, 0, 370, 250)).resize((420, 375)))
    frame[:355, 335:755] = head[20:] // 2
    (found,) = detector.detect(paste(frame, target, astronaut)[0][..., ::-1].copy())
    assert np.abs(np.array(found.landmarks) - target).max() < 0.08 * 98 * 1.5


def test_the_mask_of_a_frames_own_face_lies_where_the_face_is(photo, detector, parser):
    frame = np.asarray(photo)
    (found,) = detector.detect(frame[..., ::-1].copy())
    mask = face_mask(frame, found, parser)
    assert mask.shape == frame.shape[:2] and mask.dtype == np.float32
    assert mask.min() == 0 and 0.999 < mask.max() <= 1
    rows, columns = (np.flatnonzero((mask > 0.5).any(axis=axis)) for axis in (1, 0))
    left, top, right, bottom = found.box
    assert (columns[0] + columns[-1]) / 2 == pytest.approx((left + right) / 2, abs=3)
    assert rows[0] < top + 10 and rows[-1] > bottom - 10


@pytest.mark.parametrize("side", [40, 480], ids=["small", "larger than 512"])
def test_the_mask_is_brought_back_to_the_size_of_the_face(side):
    """Half of the square is seen as face: three quarters of the box."""
    frame = np.zeros((1000, 1000, 3), np.uint8)
    mask = face_mask(frame, face(500 - side / 2, 500 - side / 2, 500 + side / 2, 500 + side / 2), Sees(1))
    columns = np.flatnonzero(mask[500] > 0.5)
    grown = 11 / 512 * 1.5 * side
    assert len(columns) == pytest.approx(0.75 * side + grown, abs=2)
    assert columns.mean() == pytest.approx(499.5, abs=0.5)


def test_a_face_at_the_frames_edge_has_its_mask_up_to_the_edge():
    frame = np.zeros((200, 300, 3), np.uint8)
    mask = face_mask(frame, face(-60, 60, 40, 160), Sees(1, box=(0, 0, 512, 512)))
    assert mask[110, 0] > 0.999 and mask[110, 200] == 0


def test_a_box_beyond_the_frame_has_no_mask():
    assert not face_mask(np.zeros((100, 100, 3), np.uint8), face(500, 500, 600, 600), Sees(1)).any()


def test_a_neighbours_face_in_the_same_crop_is_not_in_the_mask():
    """Both are skin to the parser; they do not hang together."""
    frame = np.zeros((200, 400, 3), np.uint8)
    frame[60:140, 100:180] = frame[60:140, 192:272] = 255
    eyes = ((120, 85), (160, 85), (140, 100), (125, 120), (155, 120))

    class White:
        def classes(self, image_rgb):
            return (image_rgb[..., 0] > 127).astype(np.uint8)

    mask = face_mask(frame, face(100, 60, 180, 140, eyes), White())
    assert mask[100, 140] > 0.999
    assert mask[60:140, 192:].max() < 0.5
