"""A control video is followed if the face is where it has the head."""

from __future__ import annotations

import pytest

from standin_batch.face.detect import Face
from training.meaning.following import distance, distance_to_others
from training.meaning.tracks import SAMPLED, Seen
from training.world.draw import truth
from training.world.scene import ACTIONS, scene


def along(one, x=0.0, y=0.0):
    faces = truth(one, frames=len(SAMPLED))
    boxes = [(left + x, top + y, right + x, bottom + y) for left, top, right, bottom in (face.box for face in faces)]
    return Seen({place: Face(box, ((0.0, 0.0),) * 5, 1.0) for place, box in enumerate(boxes)})


@pytest.mark.parametrize("action", ACTIONS)
def test_on_the_track_there_is_no_distance(action):
    one = scene(1, action=action)
    assert distance(along(one), one) == pytest.approx(0, abs=1e-6)
    assert distance_to_others(along(one), one) > 1


def test_the_distance_is_in_pixels():
    one = scene(2)
    assert distance(along(one, 3.0, 4.0), one) == pytest.approx(5)


def test_frames_without_a_face_do_not_count():
    one = scene(3)
    some = {place: face for place, face in along(one, 0.0, 2.0).faces.items() if place != 1}
    assert distance(Seen(some), one) == pytest.approx(2)


def test_without_any_face_there_is_no_distance():
    assert distance(Seen({}), scene(4)) is None
    assert distance_to_others(Seen({}), scene(4)) is None
