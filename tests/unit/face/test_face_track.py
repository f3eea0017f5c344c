"""Whose face is whose over a clip, and who is meant."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from standin_batch.errors import ExitCode
from standin_batch.face.detect import Face
from standin_batch.face.track import DIFFERENT, MAX_GAP, SAME, TargetError, Track, choose, fill, overlap, tracks

ANNA, BERT, CARL = np.eye(512, dtype=np.float32)[:3]


def face(x, y=100.0, side=40.0, who=None):
    """A square face with its corner at (x, y), and landmarks on its diagonal."""
    landmarks = tuple((x + side * part, y + side * part) for part in (0.2, 0.4, 0.5, 0.6, 0.8))
    return Face(box=(x, y, x + side, y + side), landmarks=landmarks, score=0.9, embedding=who)


def turned(who, other, cosine):
    """Somebody whose embedding has this cosine with `who`'s."""
    return np.float32(cosine) * who + np.float32(np.sqrt(1 - cosine**2)) * other


def where(track):
    """The frames of a track with the left edges of its faces."""
    return {index: found.box[0] for index, found in track.faces.items()}


def test_a_face_that_moves_is_one_person():
    (track,) = tracks([[face(10.0 * index)] for index in range(20)])
    assert where(track) == {index: 10.0 * index for index in range(20)}
    assert (track.first, track.last) == (0, 19)


def test_two_that_stand_apart_are_two_from_left_to_right_whatever_the_detectors_order():
    left, right = tracks([[face(300), face(50)], [face(52), face(298)]])
    assert where(left) == {0: 50, 1: 52} and where(right) == {0: 300, 1: 298}


def test_who_comes_later_is_listed_later():
    first, second = tracks([[face(300)], [face(300), face(50)]])
    assert first.first == 0 and second.first == 1


@pytest.mark.parametrize("missed", [1, MAX_GAP])
def test_a_face_missed_for_some_frames_is_the_same_person(missed):
    (track,) = tracks([[face(50)], *[[]] * missed, [face(55)]])
    assert list(track.faces) == [0, missed + 1]


def test_without_embeddings_a_long_absence_makes_another_person():
    assert len(tracks([[face(50)], *[[]] * (MAX_GAP + 1), [face(50)]])) == 2


def test_without_embeddings_a_jump_makes_another_person():
    assert len(tracks([[face(50)], [face(300)]])) == 2


def test_after_a_cut_a_person_is_known_by_looks():
    frames = [[face(50, who=ANNA), face(300, who=BERT)], *[[]] * 40, [face(60, who=BERT), face(500, who=ANNA)]]
    anna, bert = tracks(frames)
    assert where(anna) == {0: 50, 41: 500} and where(bert) == {0: 300, 41: 60}


def test_who_walks_into_anothers_place_is_not_taken_for_them():
    anna, bert = tracks([[face(50, who=ANNA)], [face(51, who=BERT)]])
    assert where(anna) == {0: 50} and where(bert) == {1: 51}


def test_two_who_change_places_keep_their_names():
    anna, bert = tracks([[face(50, who=ANNA), face(80, who=BERT)], [face(50, who=BERT), face(80, who=ANNA)]])
    assert where(anna) == {0: 50, 1: 80} and where(bert) == {0: 80, 1: 50}


@pytest.mark.parametrize(("x", "people"), [(52, 1), (300, 2)], ids=["at the same place", "elsewhere"])
def test_doubtful_looks_count_only_at_the_same_place(x, people):
    doubtful = turned(ANNA, BERT, (SAME + DIFFERENT) / 2)
    assert len(tracks([[face(50, who=ANNA)], [face(x, who=doubtful)]])) == people


def test_a_head_that_turns_away_frame_by_frame_stays_the_same_person():
    looks = [turned(ANNA, BERT, cosine) for cosine in (1.0, 0.8, 0.4, 0.0, -0.5, -0.9)]
    assert len(tracks([[face(50, who=one)] for one in looks])) == 1


def test_a_face_without_embedding_is_linked_by_place():
    (track,) = tracks([[face(50, who=ANNA)], [face(52)], [face(54, who=ANNA)]])
    assert len(track.faces) == 3


def test_of_twins_each_keeps_the_place_nearest():
    left, right = tracks([[face(0, who=ANNA), face(200, who=ANNA)], [face(60, who=ANNA), face(140, who=ANNA)]])
    assert where(left) == {0: 0, 1: 60} and where(right) == {0: 200, 1: 140}


def test_of_twins_the_one_who_stays_is_the_one_nearer():
    left, right = tracks([[face(0, who=ANNA), face(200, who=ANNA)], [face(180, who=ANNA)]])
    assert where(left) == {0: 0} and where(right) == {0: 200, 1: 180}


faces = st.builds(
    face,
    st.integers(0, 400).map(float),
    st.integers(0, 300).map(float),
    st.integers(5, 120).map(float),
    st.sampled_from([None, ANNA, BERT, CARL, turned(ANNA, BERT, 0.3)]),
)
clips = st.lists(st.lists(faces, max_size=4, unique_by=lambda found: found.box), max_size=8)


@given(clips)
def test_each_face_is_in_exactly_one_track(frames):
    linked = [(index, found) for track in tracks(frames) for index, found in track.faces.items()]
    given_ = [(index, found) for index, frame in enumerate(frames) for found in frame]
    assert sorted(map(repr, linked)) == sorted(map(repr, given_))


@given(clips, st.randoms(use_true_random=False))
def test_the_detectors_order_does_not_matter(frames, random):
    shuffled = [random.sample(frame, len(frame)) for frame in frames]
    assert tracks(shuffled) == tracks(frames)


@given(clips)
def test_people_are_ordered_by_first_frame_then_from_left_to_right(frames):
    order = [(track.first, track.faces[track.first].box) for track in tracks(frames)]
    assert order == sorted(order)


@given(faces, faces)
def test_overlap_is_mutual_and_highest_with_itself(one, other):
    assert overlap(one.box, other.box) == overlap(other.box, one.box)
    assert -1 <= overlap(one.box, other.box) <= overlap(one.box, one.box) == 1


def test_overlap_in_numbers():
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 1, 1), (3, 0, 4, 1)) == pytest.approx(-1 / 2)
    assert overlap((1, 1, 1, 1), (1, 1, 1, 1)) == -1


def test_the_largest_is_who_fills_most_of_the_clip_not_of_a_frame():
    passer_by = [[], [face(400, side=90)], [], []]
    actor = [[face(50, side=60)]] * 4
    found = tracks([one + other for one, other in zip(passer_by, actor, strict=True)])
    assert where(choose(found)) == dict.fromkeys(range(4), 50)


def test_a_number_counts_from_the_left_in_the_first_frame_with_a_face():
    found = tracks([[], [face(300, who=BERT), face(50, who=ANNA)], [face(0, who=CARL)]])
    assert [where(choose(found, number)) for number in (0, 1)] == [{1: 50}, {1: 300}]


@pytest.mark.parametrize("number", [2, 7, -1])
def test_a_number_that_nobody_has_is_an_error_that_says_how_many_there_are(number):
    found = tracks([[face(50, who=ANNA), face(300, who=BERT)], [face(500, who=CARL)]])
    with pytest.raises(TargetError, match=f"no face {number}: frame 0, the first with any, shows 2") as caught:
        choose(found, number)
    assert "to 1" in caught.value.hint
    assert caught.value.exit_code == ExitCode.JOBS_FAILED


@pytest.mark.parametrize("target", ["largest", 0])
def test_nobody_to_choose_from_is_an_error_with_a_cure(target):
    with pytest.raises(TargetError, match="no face was found") as caught:
        choose(tracks([[], []]), target)
    assert caught.value.hint


def test_a_photograph_says_who_whatever_the_target():
    found = tracks([[face(50, who=ANNA, side=90), face(300, who=BERT)]])
    assert where(choose(found, 0, like=2 * turned(BERT, CARL, 0.5))) == {0: 300}


def test_likeness_is_the_mean_over_the_faces_and_knows_no_length():
    track = Track({0: face(0, who=3 * ANNA), 1: face(0), 2: face(0, who=turned(ANNA, BERT, 0.5))})
    assert track.likeness(7 * ANNA) == pytest.approx(0.75)


def test_a_photograph_of_nobody_in_the_clip_is_an_error_with_the_best_likeness():
    found = tracks([[face(50, who=ANNA), face(300, who=BERT)]])
    with pytest.raises(TargetError, match=r"none of the 2 people .* 0\.25"):
        choose(found, like=turned(ANNA, CARL, 0.25))


def test_a_photograph_needs_embeddings():
    with pytest.raises(TargetError, match="without embeddings"):
        choose(tracks([[face(50)]]), like=ANNA)


def test_a_gap_is_filled_on_a_straight_line():
    filled = fill(Track({2: face(100, who=ANNA), 6: face(140, side=80, who=ANNA)}))
    assert list(filled) == [3, 4, 5]
    assert filled[3].box == (110, 100, 160, 150)
    assert filled[4].landmarks == face(120, side=60).landmarks
    assert all(found.embedding is None for found in filled.values())


@pytest.mark.parametrize("missed", [0, MAX_GAP + 1], ids=["no gap", "an absence"])
def test_nothing_is_filled_without_a_gap_or_in_an_absence(missed):
    assert fill(Track({0: face(50), missed + 1: face(60)})) == {}


def test_tracking_imports_no_heavy_library():
    code = (
        "import sys, standin_batch.face.track;"
        "print(*{'torch', 'cv2', 'insightface', 'onnxruntime', 'facexlib'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_nothing_is_filled_over_a_cut_to_another_place():
    assert fill(Track({2: face(0, side=80, who=ANNA), 6: face(1000, side=80, who=ANNA)})) == {}


def test_nothing_is_filled_over_somebody_else():
    anna, bert = Track({0: face(100, who=ANNA), 4: face(140, who=ANNA)}), Track({2: face(125, who=BERT)})
    assert fill(anna, [bert]).keys() == {1, 3}
