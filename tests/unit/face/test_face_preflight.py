"""Which photographs are no use: planted degradations of a good one, and planted faces where no model can tell."""

from dataclasses import replace

import numpy as np
import pytest
from degraded import BAD, portrait

from standin_batch.errors import StandinError
from standin_batch.face.checks import Cause, FaceChecks, RefusedError
from standin_batch.face.detect import Face, InsightFaceDetector
from standin_batch.face.footage import Footage, footage_findings
from standin_batch.face.portrait import Likeness, Portrait, look_at
from standin_batch.face.pose import HEAD, Pose, pose_of
from standin_batch.face.preflight import AT_ONCE, Sitter, findings_of
from standin_batch.weights.tiny_faces import write_face_models

CHECKS = FaceChecks()
GOOD = Likeness(
    side=200, sharpness=150, brightness=200, blown_out=0, pose=Pose(5, -5, 2), face_outside=0, crop_outside=0
)


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    root = tmp_path_factory.mktemp("tiny")
    write_face_models(root)
    return InsightFaceDetector(root / "antelopev2", "cpu", with_embedding=True)


def person(*numbers):
    """A direction of an embedding."""
    return np.array([*numbers, *([0] * (512 - len(numbers)))], np.float32)


def planted(embedding=None, others=(), **measured):
    """A good portrait but for what is said."""
    faces = [Face((0, 0, 200, 240), tuple(map(tuple, HEAD[:, :2])), 0.9, embedding)]
    faces += [Face((0, 0, side, side * 1.2), ((0.0, 0.0),) * 5, 0.9) for side in others]
    return Portrait(800, 800, tuple(faces), replace(GOOD, **measured))


def sitter(name="ada", **fields):
    return Sitter(**{"name": name, "digest": name, "portrait": planted(), **fields})


def causes(*sitters, checks=CHECKS):
    return [(finding.name, finding.cause) for finding in findings_of(sitters, checks)]


@pytest.mark.parametrize("name", BAD)
def test_each_degradation_of_a_good_photograph_has_its_cause_and_no_other(name, detector):
    cause, picture = BAD[name]
    assert causes(sitter(portrait=look_at(picture(), detector))) == [("ada", cause)]


def test_ten_degradations_are_tried():
    assert len(BAD) == 10


@pytest.mark.parametrize("crop", [(0, 0, 768, 768), (100, 20, 700, 700), (160, 0, 560, 420)])
def test_the_good_photograph_is_good_however_it_is_cut(crop, detector):
    assert causes(sitter(portrait=look_at(portrait().crop(crop), detector))) == []


def test_two_photographs_of_one_person_are_told_apart_from_others(detector):
    one, other = (look_at(portrait().crop(crop), detector) for crop in ((0, 0, 768, 768), (100, 20, 700, 700)))
    assert causes(sitter("ada", portrait=one), sitter("bea", portrait=other)) == [("bea", Cause.SAME_PERSON)]


class Planted:
    """A detector that finds one face, turned as it was told."""

    def __init__(self, landmarks):
        self.landmarks = landmarks

    def detect(self, image_bgr):
        return [Face((260, 105, 410, 270), self.landmarks, 0.9)]


@pytest.mark.parametrize("nose", [28.0, -28.0])
def test_a_face_whose_nose_is_at_its_side_is_turned_away(nose):
    landmarks = ((300.0, 160.0), (370.0, 160.0), (335.0 + nose, 195.0), (310.0, 235.0), (360.0, 235.0))
    found = look_at(portrait(), Planted(landmarks))
    assert abs(pose_of(landmarks).yaw) > 35
    assert causes(sitter(portrait=found)) == [("ada", Cause.TURNED_AWAY)]


WRONG = {
    "turned left": ({"pose": Pose(-48, 0, 0)}, Cause.TURNED_AWAY, "turned to the left by 48° (at most 35°)"),
    "looking up": ({"pose": Pose(0, 41, 0)}, Cause.TURNED_AWAY, "turned up by 41° (at most 30°)"),
    "tilted": ({"pose": Pose(0, 0, 60)}, Cause.TURNED_AWAY, "tilted to the right by 60° (at most 30°)"),
    "small": ({"side": 95.4}, Cause.TOO_SMALL, "95 pixels along its shorter side (at least 96)"),
    "blurred": ({"sharpness": 12.3}, Cause.BLURRED, "a sharpness of 12 (at least 40)"),
    "cut": ({"face_outside": 0.2}, Cause.CUT_OFF, "20% of the face lies outside the picture (at most 5%)"),
    "tight": ({"crop_outside": 0.4}, Cause.CUT_OFF, "40% of the square around the face lies outside"),
    "dark": ({"brightness": 31}, Cause.TOO_DARK, "grey level of 31 out of 255 (at least 60)"),
    "bright": ({"blown_out": 0.55}, Cause.TOO_BRIGHT, "55% of the face is white (at most 30%)"),
    "crowd": ({"others": (150, 60)}, Cause.SEVERAL_FACES, "3 faces, and the second has 75% of the largest one's side"),
}


@pytest.mark.parametrize(("measured", "cause", "message"), WRONG.values(), ids=WRONG)
def test_a_finding_says_what_was_measured_and_the_threshold(measured, cause, message):
    (finding,) = findings_of([sitter(portrait=planted(**measured))], CHECKS)
    assert (finding.name, finding.cause, finding.severity) == ("ada", cause, "warning")
    assert message in finding.message
    assert finding.cure and finding.short


EDGES = {
    "min_side": ("side", 96, 95.9),
    "min_sharpness": ("sharpness", 40, 39),
    "max_yaw": ("pose", Pose(35, 0, 0), Pose(35.1, 0, 0)),
    "max_pitch": ("pose", Pose(0, -30, 0), Pose(0, -30.1, 0)),
    "max_roll": ("pose", Pose(0, 0, 30), Pose(0, 0, 30.1)),
    "max_cut_off": ("crop_outside", 0.25, 0.26),
    "min_brightness": ("brightness", 60, 59),
    "max_blown_out": ("blown_out", 0.3, 0.31),
    "max_second_face": ("others", (100,), (101,)),
}


@pytest.mark.parametrize(("key", "within", "beyond"), EDGES.values(), ids=EDGES)
def test_a_threshold_itself_is_good_enough(key, within, beyond):
    assert causes(sitter(portrait=planted(**{key: within}))) == []
    assert len(causes(sitter(portrait=planted(**{key: beyond})))) == 1


@pytest.mark.parametrize("key", EDGES)
def test_thresholds_are_the_manifest_s(key):
    measured, _, beyond = EDGES[key]
    looser = {"min": 0, "max": 180}[key[:3]]
    assert causes(sitter(portrait=planted(**{measured: beyond})), checks=replace(CHECKS, **{key: looser})) == []


def test_several_things_may_be_wrong_at_once():
    found = causes(sitter(portrait=planted(pose=Pose(50, 0, 0), sharpness=3, others=(190,))))
    assert [cause for _, cause in found] == [Cause.BLURRED, Cause.TURNED_AWAY, Cause.SEVERAL_FACES]


def test_a_face_that_is_too_small_is_not_called_blurred_too():
    assert causes(sitter(portrait=planted(side=40, sharpness=3))) == [("ada", Cause.TOO_SMALL)]


def test_no_face_is_an_error_unless_the_whole_image_is_taken():
    empty = Portrait(100, 100, (), None)
    (finding,) = findings_of([sitter(portrait=empty, aside=" (it is a cat)")], CHECKS)
    assert (finding.cause, finding.severity, finding.message) == (
        Cause.NO_FACE, "error", "no face was found (it is a cat)"
    )  # fmt: skip
    assert "kind: subject" in finding.cure
    (finding,) = findings_of([sitter(portrait=empty, whole_image=True)], CHECKS)
    assert (finding.cause, finding.severity) == (Cause.NO_FACE, "warning")


def test_what_cannot_be_opened_says_why():
    broken = StandinError("the picture x.png cannot be read: cut short", "copy it again")
    (finding,) = findings_of([sitter(portrait=None, unreadable=broken)], CHECKS)
    assert (finding.cause, finding.severity) == (Cause.UNREADABLE, "error")
    assert (finding.message, finding.cure) == (broken.message, broken.hint)


def test_a_subject_is_not_looked_at():
    assert causes(sitter(portrait=None, kind="subject")) == []


def test_the_manifest_says_what_is_an_error():
    strict = replace(CHECKS, refuse=("blurred",))
    (blurred,) = findings_of([sitter(portrait=planted(sharpness=3))], strict)
    (empty,) = findings_of([sitter(portrait=Portrait(9, 9, (), None))], strict)
    assert (blurred.severity, empty.severity) == ("error", "warning")


def test_two_identities_that_are_one_person_are_told_once():
    one, other, third = (sitter(name, portrait=planted(vector)) for name, vector in (
        ("ada", person(1, 0)), ("bea", person(0, 3)), ("cleo", person(4, 3)),
    ))  # fmt: skip
    assert causes(one, other) == []
    (finding,) = findings_of([one, other, third], CHECKS)
    assert (finding.name, finding.cause, finding.others) == ("cleo", Cause.SAME_PERSON, ("ada", "bea"))
    assert "the same person as ada by a cosine of 0.80 (from 0.5), and as 1 more" in finding.message
    assert causes(one, third, checks=replace(CHECKS, same_person=0.81)) == []


def test_a_person_under_three_names_is_told_twice_not_three_times():
    found = causes(*(sitter(name, portrait=planted(person(1))) for name in ("ada", "bea", "cleo")))
    assert found == [("bea", Cause.SAME_PERSON), ("cleo", Cause.SAME_PERSON)]


@pytest.mark.parametrize("kind", ["face", "subject"])
def test_the_same_file_under_two_names_needs_no_embedding(kind):
    pair = [sitter(name, digest="same", kind=kind, portrait=None) for name in ("ada", "bea")]
    (finding,) = findings_of(pair, CHECKS)
    assert (finding.name, finding.others, finding.severity) == ("bea", ("ada",), "warning")
    assert finding.message == "the same photograph as ada"


def test_people_without_embedding_are_not_compared():
    assert causes(sitter("ada", portrait=planted(np.zeros(512, np.float32))), sitter("bea")) == []


def test_a_thousand_people_are_compared_in_a_moment():
    random = np.random.default_rng(0)
    people = [sitter(f"{n}", portrait=planted(random.normal(size=512).astype(np.float32))) for n in range(1000)]
    assert causes(*people) == []
    assert causes(*people, sitter("again", portrait=people[500].portrait)) == [("again", Cause.SAME_PERSON)]


FOOTAGE = Footage("clip.mp4", sampled=32, with_face=20, most=2)


@pytest.mark.parametrize(
    ("changed", "cause", "message"),
    [
        ({"with_face": 6}, Cause.FACES_IN_VIDEO, "a face in 6 of the 32 frames looked at, 19% (at least 50%)"),
        ({"with_face": 0}, Cause.FACES_IN_VIDEO, "a face in 0 of the 32 frames"),
        ({"wanted": "bob.png", "likeness": 0.11}, Cause.PERSON_NOT_IN_VIDEO, "nobody in it looks like bob.png"),
        ({"wanted": "bob.png", "unusable": "no face was found there"}, Cause.PERSON_NOT_IN_VIDEO, "no face was found"),
    ],
)
def test_a_video_that_shows_too_little(changed, cause, message):
    (finding,) = footage_findings(replace(FOOTAGE, **changed), CHECKS)
    assert (finding.name, finding.cause, finding.severity) == ("clip.mp4", cause, "warning")
    assert message in finding.message


def test_a_video_that_shows_enough():
    assert footage_findings(FOOTAGE, CHECKS) == ()
    assert footage_findings(replace(FOOTAGE, wanted="bob.png", likeness=0.4), CHECKS) == ()


def test_a_video_without_any_face_is_told_whatever_the_threshold():
    assert footage_findings(replace(FOOTAGE, with_face=0), replace(CHECKS, min_coverage=0.0))


def test_a_refusal_says_how_to_take_it_back():
    (finding,) = findings_of([sitter(portrait=planted(side=40))], replace(CHECKS, refuse=("too_small",)))
    refused = RefusedError.of(finding)
    assert "ada" in refused.message and "40 pixels" in refused.message
    assert "take `too_small` out of `faces.refuse`" in refused.hint


def test_in_a_crowd_each_is_compared_with_all_before():
    """More than are compared at a time, as unlike as embeddings of strangers, and among them two of one person."""
    strangers = np.random.default_rng(0).standard_normal((AT_ONCE + 40, 512)).astype(np.float32)
    strangers[-1] = strangers[3] + 0.1 * strangers[4]
    crowd = [sitter(f"p{number}", portrait=planted(who)) for number, who in enumerate(strangers)]
    crowd[10] = sitter("p10", portrait=None)
    (finding,) = findings_of(crowd, CHECKS)
    assert (finding.name, finding.others) == (f"p{AT_ONCE + 39}", ("p3",))
    assert "p3 by a cosine of 1.00" in finding.message or "p3 by a cosine of 0.99" in finding.message
