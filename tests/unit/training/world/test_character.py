"""Characters: which there are, and that each thing about one shows in a picture."""

from dataclasses import replace

import numpy as np
import pytest

from training.world import character as tables
from training.world.character import Character, apart, character
from training.world.hair import beard_colour
from training.world.portrait import portrait

SOMEBODY = Character("fair", "red", "short", "dark", "none", "none", "blue", "none", "round", "green", "plain")
CHOICES = {
    "skin": tables.SKINS,
    "hair": tables.HAIRS,
    "hair_shape": tables.HAIR_SHAPES,
    "eyes": tables.EYES,
    "glasses": tables.GLASSES,
    "hat": tables.HATS,
    "beard": tables.BEARDS,
    "face_shape": tables.FACE_SHAPES,
    "clothes": tables.CLOTHES,
    "pattern": tables.PATTERNS,
}


def difference(one, other):
    return float(np.abs(one.astype(int) - other).mean())


def test_a_seed_always_gives_the_same_character():
    assert [character(seed) for seed in range(20)] == [character(seed) for seed in range(20)]


def test_characters_of_other_seeds_are_others():
    assert len({character(seed) for seed in range(300)}) > 290


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_is_met_among_three_hundred(name):
    assert {getattr(character(seed), name) for seed in range(300)} == set(CHOICES[name])


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_looks_different_from_every_other(name):
    pictures = [portrait(replace(SOMEBODY, **{name: choice}), 96) for choice in CHOICES[name]]
    for index, one in enumerate(pictures):
        for other in pictures[index + 1 :]:
            assert difference(one, other) > 0.5


def test_a_hat_has_the_colour_it_is_said_to_have():
    for hat in ("cap", "beanie", "top"):
        red, blue = (portrait(replace(SOMEBODY, hat=hat, hat_colour=colour), 96) for colour in ("red", "blue"))
        assert difference(red, blue) > 1


def test_without_a_hat_its_colour_shows_nowhere():
    assert np.array_equal(portrait(SOMEBODY, 96), portrait(replace(SOMEBODY, hat_colour="red"), 96))


def test_hair_can_be_told_from_the_skin():
    for seed in range(300):
        one = character(seed)
        assert apart(tables.HAIRS[one.hair], tables.SKINS[one.skin]) > 45


@pytest.mark.parametrize("skin", tables.SKINS)
@pytest.mark.parametrize("hair", tables.HAIRS)
def test_a_beard_can_be_told_from_the_skin(skin, hair):
    colour = beard_colour(replace(SOMEBODY, skin=skin, hair=hair, beard="full"))
    assert apart(colour, tables.SKINS[skin]) > 60
