"""The face in the sampled frames: the largest one, where it is, and whose."""

from __future__ import annotations

import numpy as np
import pytest

from standin_batch.face.detect import Face
from training.meaning.tracks import SAMPLED, Seen, look, unit

FRAMES = np.zeros((3, 8, 8, 3), np.uint8)


def face(side, embedding=None):
    vector = None if embedding is None else np.array(embedding, np.float32)
    return Face((0.0, 0.0, side, side), ((0.0, 0.0),) * 5, 1.0, vector)


class Told:
    """Finds in one frame after the other what it was told to find."""

    def __init__(self, *found):
        self.found = iter(found)

    def detect(self, image_bgr):
        self.shown = image_bgr
        return next(self.found)


def test_the_largest_face_counts():
    seen = look(FRAMES, Told([face(2.0), face(6.0)], [], [face(4.0)]))
    assert {place: found.area for place, found in seen.faces.items()} == {0: 36.0, 2: 16.0}
    assert seen.share == pytest.approx(2 / 3)
    assert seen.centres[0].tolist() == [3.0, 3.0]


def test_the_detector_sees_the_frames_in_bgr():
    told = Told([])
    look(np.full((1, 8, 8, 3), (10, 20, 30), np.uint8), told)
    assert told.shown[0, 0].tolist() == [30, 20, 10]


def test_each_frame_has_the_same_say_in_who_it_is():
    seen = Seen({0: face(1.0, (100, 0)), 1: face(1.0, (0, 1))}, 2)
    assert unit(seen.embedding) == pytest.approx((0.5**0.5, 0.5**0.5))


@pytest.mark.parametrize("faces", [{}, {0: face(1.0)}])
def test_without_an_embedding_it_is_nobody(faces):
    assert Seen(faces, 1).embedding is None


def test_beginning_middle_and_end_are_looked_at():
    assert SAMPLED == (0, 3, 6, 9, 12)
