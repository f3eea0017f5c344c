"""Who it is: the nearest of all portraits, and nobody without a face."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_oracle import Oracle

from standin_batch.face.subject import NoFaceError
from training.meaning.cases import people
from training.meaning.likeness import Gallery, gallery, likeness

WHO = people(3)
KNOWN = Gallery(WHO, np.eye(3, 512))


def shown(*numbers):
    return np.pad(np.array(numbers, float), (0, 512 - len(numbers)))


def test_the_nearest_portrait_says_who_it_is():
    found = likeness([(shown(3, 1), WHO[0]), (shown(3, 1), WHO[1])], KNOWN)
    assert found.first == 0.5
    assert found.own == pytest.approx((3 + 1) / 2 / 10**0.5)
    assert found.others == pytest.approx(((1 + 0) / 2 + (3 + 0) / 2) / 2 / 10**0.5)


def test_a_clip_without_a_face_is_nobody_s():
    found = likeness([(None, WHO[0]), (shown(0, 1), WHO[1])], KNOWN)
    assert (found.first, found.own, found.others) == (0.5, 1.0, 0.0)


def test_without_any_face_there_is_no_cosine():
    found = likeness([(None, WHO[0])], KNOWN)
    assert (found.first, found.own, found.others) == (0.0, None, None)


def test_the_portraits_compared_with_are_others_than_those_shown():
    oracle = Oracle()
    oracle.know_portrait(WHO[0])
    known = gallery(WHO[:1], oracle)
    assert known.people == WHO[:1]
    assert np.linalg.norm(known.embeddings, axis=1) == pytest.approx(1)


def test_a_portrait_without_a_face_is_an_error():
    with pytest.raises(NoFaceError):
        gallery(WHO[:1], Oracle())
