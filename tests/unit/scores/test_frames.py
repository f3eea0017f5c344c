"""Scores that need no face, on frames whose answer is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from standin_batch.scores.frames import motion, perceptual_hash, sharpness

SIDE = 128


@pytest.fixture
def picture():
    noise = np.random.default_rng(1).integers(0, 256, (SIDE * 2, SIDE * 2, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 3) * 3


def view(picture, dx=0):
    return np.ascontiguousarray(picture[40 : 40 + SIDE, 40 - dx : 40 - dx + SIDE])


def test_blurring_takes_sharpness_away(picture):
    values = [sharpness([cv2.GaussianBlur(picture, (0, 0), sigma)]) for sigma in (0.5, 1, 2, 4)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 3 * values[-1]


def test_a_picture_of_one_colour_has_none():
    assert sharpness([np.full((32, 32, 3), 90, np.uint8)]) == 0


def test_motion_is_told_in_hundredths_of_the_diagonal_a_second(picture):
    moved = motion([(view(picture), view(picture, 2))], fps=10)
    assert moved == pytest.approx(100 * 10 * 2 / np.hypot(SIDE, SIDE), rel=0.2)


def test_motion_is_the_same_at_every_size(picture):
    pair = view(picture), view(picture, 2)
    large = tuple(cv2.resize(frame, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC) for frame in pair)
    assert motion([large], fps=10) == pytest.approx(motion([pair], fps=10), rel=0.15)


def test_what_stands_still_does_not_move(picture):
    assert motion([(view(picture), view(picture))], fps=25) == pytest.approx(0, abs=0.05)


def test_the_hash_hardly_feels_noise_and_tells_pictures_apart(picture):
    other = picture[::-1, ::-1].copy()
    noisy = np.clip(picture + np.random.default_rng(2).normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
    whole, near, far = (int(perceptual_hash([one]), 16) for one in (picture, noisy, other))
    assert len(perceptual_hash([picture] * 3)) == 48
    assert (whole ^ near).bit_count() <= 4
    assert (whole ^ far).bit_count() >= 16
