"""Portraits: on white, large, from the front, and a little different with each view."""

import numpy as np
import pytest

from standin_batch.face.subject import square_around
from training.world import parts
from training.world.character import character
from training.world.portrait import portrait, portrait_labels, portrait_truth

HEAD = [
    parts.SKIN,
    *parts.BROWS,
    *parts.EYES,
    parts.GLASSES,
    *parts.EARS,
    parts.NOSE,
    parts.MOUTH,
    parts.HAIR,
    parts.HAT,
]


@pytest.mark.parametrize("size", [96, 256, 512])
def test_a_portrait_has_the_size_asked_for_and_white_about_it(size):
    picture, classes = portrait(character(1), size), portrait_labels(character(1), size)
    assert picture.shape == (size, size, 3) and picture.dtype == np.uint8
    assert (picture[0] == 255).all() and (picture[:, 0] == 255).all()
    assert classes.shape == (size, size) and not classes[0].any()


def test_a_view_is_always_the_same_and_views_differ():
    views = [portrait(character(2), 96, view) for view in range(6)]
    assert np.array_equal(views[3], portrait(character(2), 96, 3))
    for index, one in enumerate(views):
        assert all(np.abs(one.astype(int) - other).mean() > 1 for other in views[:index])


def test_the_head_takes_about_half_of_the_height():
    for seed in range(40):
        rows = np.flatnonzero(np.isin(portrait_labels(character(seed), 96), HEAD).any(1))
        assert 0.42 < (rows[-1] - rows[0]) / 96 < 0.82


def test_eyes_nose_and_mouth_lie_where_the_truth_says():
    for seed in range(40):
        one = character(seed)
        for view in range(3):
            classes, face = portrait_labels(one, 256, view), portrait_truth(one, 256, view)
            x, y = (round(value) for value in face.landmarks[2])
            assert classes[y, x] in (parts.NOSE, parts.GLASSES)
            for corner in face.landmarks[3:]:
                x, y = (round(value) for value in corner)
                near = classes[y - 4 : y + 9, x - 8 : x + 9]
                assert (near == parts.MOUTH).any() or one.beard != "none"


def test_the_square_about_a_face_holds_its_head():
    for seed in range(60):
        one = character(seed)
        left, top, right, bottom = square_around(portrait_truth(one, 512).box)
        head = np.isin(portrait_labels(one, 512), HEAD)
        inside = head[max(top, 0) : bottom, max(left, 0) : right]
        assert inside.sum() > 0.97 * head.sum()
