"""What a swap has to leave alone: everything but the face and the latents' places beside it."""

from __future__ import annotations

import numpy as np
import pytest

from standin_batch.face.paste import FACE_CLASSES
from training.meaning.surroundings import psnr, surroundings
from training.world.draw import labels
from training.world.scene import scene

SCENE = scene(1, action="walks to the right")


def test_no_pixel_of_the_face_is_among_them():
    assert not surroundings(SCENE)[np.isin(labels(SCENE), FACE_CLASSES)].any()


def test_of_two_scenes_both_faces_are_left_out():
    other = scene(1, action="walks to the left")
    assert (surroundings(SCENE, other) == (surroundings(SCENE) & surroundings(other))).all()


def test_most_of_the_picture_is():
    assert 0.4 < surroundings(SCENE).mean() < 0.9
    assert surroundings(SCENE).shape == (13, 96, 96)


def test_frames_that_share_a_latent_share_what_may_change():
    kept = surroundings(SCENE)
    assert all((kept[index] == kept[first]).all() for first in (1, 5, 9) for index in range(first, first + 4))
    assert not (kept[1] == kept[9]).all()


def test_a_face_s_neighbours_are_left_out():
    kept, (_, rows, columns) = surroundings(SCENE), np.nonzero(np.isin(labels(SCENE)[:1], FACE_CLASSES))
    assert not kept[0, rows.min() - 8 : rows.max() + 8, columns.min() - 8 : columns.max() + 8].any()


def test_decibels():
    one, other = np.zeros((1, 2, 2, 3), np.uint8), np.zeros((1, 2, 2, 3), np.uint8)
    everywhere = np.ones((1, 2, 2), bool)
    assert psnr(one, other, everywhere) == float("inf")
    other[0, 0, 0] = 255
    assert psnr(one, other, everywhere) == pytest.approx(10 * np.log10(4))
    everywhere[0, 0, 0] = False
    assert psnr(one, other, everywhere) == float("inf")
