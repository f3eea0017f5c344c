"""Face scores, with planted faces: what the embeddings of a real pack would say is known here."""

from __future__ import annotations

import numpy as np
import pytest

from standin_batch.face.detect import Face
from standin_batch.scores.likeness import cosine, likeness

IDENTITY = np.array([2.0, 0.0], np.float32)


def face(value):
    """A face whose cosine with the identity is this."""
    embedding = np.array([value, np.sqrt(1 - value**2)], np.float32) * 3
    return Face((0, 0, 1, 1), ((0, 0),) * 5, 0.9, embedding)


class Planted:
    """Finds in each frame the faces whose cosines stand in its first pixels, in hundredths; 0 ends them."""

    def detect(self, image_bgr):
        return [face(value / 100) for value in image_bgr[0, :, 2] if value]


def frame(*values):
    pixels = np.zeros((1, 8, 3), np.uint8)
    pixels[0, : len(values), 0] = values
    return pixels


def test_mean_least_and_tenth_percentile_over_the_frames_with_a_face():
    found = likeness([frame(80), frame(60), frame(), frame(40)], IDENTITY, Planted())
    assert found["face_similarity"] == pytest.approx(0.6)
    assert found["face_similarity_min"] == pytest.approx(0.4)
    assert found["face_similarity_p10"] == pytest.approx(0.44)
    assert found["face_frames"] == 0.75


def test_of_several_people_the_one_most_like_the_identity_counts():
    assert likeness([frame(20, 90, 50)], IDENTITY, Planted())["face_similarity"] == pytest.approx(0.9)


def test_a_clip_without_any_face_has_no_cosines():
    assert likeness([frame(), frame()], IDENTITY, Planted()) == {
        "face_similarity": None,
        "face_similarity_min": None,
        "face_similarity_p10": None,
        "face_frames": 0.0,
    }


def test_the_length_of_an_embedding_says_nothing():
    assert cosine(IDENTITY, IDENTITY * 7) == pytest.approx(1)
    assert cosine(IDENTITY, np.zeros(2, np.float32)) == 0
