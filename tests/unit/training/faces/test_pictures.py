"""What there is to learn from: people who may be trained on, pictures without anybody, and what becomes of pictures."""

import numpy as np

from training.faces.pictures import nobody, on_white, someone
from training.faces.unseen import clip_of, shots, unseen
from training.faces.wear import worn


def test_the_same_numbers_draw_the_same_picture():
    one, other = (on_white(rng, someone(rng), 64) for rng in (np.random.default_rng(1), np.random.default_rng(1)))
    assert np.array_equal(one.pixels, other.pixels)
    assert one.truth == other.truth


def test_nobody_has_no_face():
    rng = np.random.default_rng(2)
    assert all(nobody(rng, 32).truth is None for _ in range(8))


def test_unseen_characters_differ():
    assert len(set(unseen(50))) == 50


def test_a_clip_is_looked_at_from_its_first_frame_to_its_last():
    (who,) = unseen(1)
    assert len(list(shots(clip_of(who, 0)))) == 4


def test_wear_changes_a_picture_but_little_and_by_chance_alone():
    pixels = on_white(np.random.default_rng(3), *unseen(1), 96).pixels
    changed = [worn(pixels, np.random.default_rng(seed)) for seed in range(30)]
    off = [np.abs(one.astype(float) - pixels).mean() for one in changed]
    assert np.array_equal(changed[0], worn(pixels, np.random.default_rng(0)))
    assert 0 < np.median(off) < 25
    assert np.array_equal(worn(pixels, np.random.default_rng(0), often=0.0), pixels)
