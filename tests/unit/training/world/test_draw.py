"""Clips of the drawn world: the same for a seed, their labels and truth about the same shapes, their actions seen."""

from dataclasses import replace

import numpy as np
import pytest

from training.world import parts
from training.world.draw import draw, labels, truth
from training.world.scene import ACTIONS, BACKGROUNDS, scene

SEEDS = range(60)
ON_EYES = {*parts.EYES, parts.GLASSES, parts.SKIN, parts.HAIR, parts.HAT}


def middles(one):
    return np.array([((left + right) / 2, (top + bottom) / 2) for left, top, right, bottom in boxes(one)])


def boxes(one):
    return [face.box for face in truth(one)]


def sides(one):
    return np.array([right - left for left, _, right, _ in boxes(one)])


def test_a_clip_is_drawn_the_same_each_time():
    assert np.array_equal(draw(scene(5)), draw(scene(5)))


def test_a_clip_has_the_size_and_length_asked_for():
    assert draw(scene(1)).shape == (13, 96, 96, 3)
    assert draw(scene(1), size=64, frames=5).shape == (5, 64, 64, 3)
    assert labels(scene(1), size=64, frames=5).shape == (5, 64, 64)
    assert len(truth(scene(1), size=64, frames=5)) == 5


def test_a_larger_clip_shows_the_same():
    small, large = draw(scene(2), frames=1)[0], draw(scene(2), 192, frames=1)[0]
    means = large.reshape(96, 2, 96, 2, 3).mean((1, 3))
    assert np.abs(means - small).mean() < 2


def test_backgrounds_differ_and_stand_still():
    clips = [draw(scene(0, background=name, action="walks to the left"), frames=3) for name in BACKGROUNDS]
    for index, one in enumerate(clips):
        assert np.array_equal(one[0, :, :4], one[-1, :, :4])
        for other in clips[:index]:
            assert np.abs(one[0].astype(int) - other[0]).mean() > 10


def test_a_drawing_in_ink_has_no_colours_but_those_from_blue_to_paper():
    plain, ink = (draw(scene(4, style=style), frames=1)[0].astype(int) for style in ("plain", "ink"))
    assert np.abs(plain - ink).mean() > 25
    assert ink[..., 0].std() > 20
    warm = np.ptp(ink.reshape(-1, 3), axis=1)
    assert warm.max() <= 70 < np.ptp(plain.reshape(-1, 3), axis=1).max()


def test_every_face_lies_in_the_picture_with_its_landmarks_in_it():
    for seed in SEEDS:
        for face in truth(scene(seed)):
            left, top, right, bottom = face.box
            assert left >= 0 and top >= 0 and right <= 95 and bottom <= 95
            assert all(left < x < right and top < y < bottom for x, y in face.landmarks)


def test_heads_are_large():
    widths = np.concatenate([sides(scene(seed)) for seed in SEEDS])
    assert widths.min() > 24 and 34 < np.median(widths) < 46


def test_labels_agree_with_the_truth():
    for seed in SEEDS:
        one = scene(seed)
        for classes, face in zip(labels(one, frames=3), truth(one, frames=3), strict=True):
            left_eye, right_eye, nose, *_ = ((round(x), round(y)) for x, y in face.landmarks)
            for x, y in (left_eye, right_eye):
                assert classes[y, x] in ON_EYES
            assert classes[nose[1], nose[0]] == parts.NOSE or one.character.glasses == "dark"


@pytest.mark.parametrize("side", [0, 1])
def test_an_eye_has_its_own_class(side):
    one = replace(scene(0), character=replace(scene(0).character, eyes="dark", glasses="none"))
    x, y = truth(one)[0].landmarks[side]
    assert labels(one)[0, round(y), round(x)] == parts.EYES[side]


def test_labels_are_background_where_nobody_is_drawn():
    one = scene(6)
    other = replace(one, character=replace(one.character, clothes="red", skin="pale", hair="pink"))
    changed = (draw(one) != draw(other)).any(-1)
    person = labels(one) != 0
    grown = person.copy()
    for axis in (1, 2):
        grown |= np.roll(person, 1, axis) | np.roll(person, -1, axis)
        person = grown.copy()
    assert changed.any() and not (changed & ~grown).any()


@pytest.mark.parametrize(("action", "sign"), [("walks to the left", -1), ("walks to the right", 1)])
def test_who_walks_goes_from_one_side_to_the_other_slowly(action, sign):
    for seed in SEEDS:
        x = middles(scene(seed, action=action))[:, 0]
        steps = sign * np.diff(x)
        assert (steps > 1.2).all() and (steps <= 1.8).all()
        assert sign * (x[0] - 47.5) < -7 and sign * (x[-1] - 47.5) > 7


def test_who_jumps_goes_up_and_comes_down_again():
    for seed in SEEDS:
        y = middles(scene(seed, action="jumps"))[:, 1]
        assert y[0] - y.min() > 7 and abs(y[0] - y[-1]) < 0.01
        assert np.abs(np.diff(y)).max() <= 3


def test_who_comes_closer_grows():
    for seed in SEEDS:
        width = sides(scene(seed, action="comes closer"))
        assert (np.diff(width) > 0).all() and 1.4 < width[-1] / width[0] < 1.5


def test_who_nods_lowers_the_face_and_lifts_it_again():
    for seed in SEEDS:
        eyes = np.array([face.landmarks[0] for face in truth(scene(seed, action="nods"))])
        assert np.ptp(eyes[:, 0]) < 0.01
        down = eyes[:, 1] > eyes[0, 1] + 3
        assert np.ptp(eyes[:, 1]) > 5 and np.count_nonzero(np.diff(down.astype(int)) == 1) == 1 and not down[-1]


def test_who_stands_still_hardly_moves():
    for seed in SEEDS:
        assert np.ptp(middles(scene(seed, action="stands still")), axis=0).max() < 1


def test_clips_of_one_action_differ_in_place_and_size():
    for action in set(ACTIONS) - {"walks to the left", "walks to the right"}:
        starts = np.array([middles(scene(seed, action=action))[0, 0] for seed in SEEDS])
        assert starts.min() < 36 and starts.max() > 60
    assert np.ptp([sides(scene(seed, character=scene(0).character, action="nods"))[0] for seed in SEEDS]) > 5
