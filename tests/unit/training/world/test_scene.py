"""Scenes and what is said about them."""

import pytest

from training.world.character import CLOTHES, HAIRS, character
from training.world.scene import ACTIONS, BACKGROUNDS, STYLES, WHERE, SceneError, caption, scene


def test_a_seed_always_gives_the_same_scene():
    assert [scene(seed) for seed in range(20)] == [scene(seed) for seed in range(20)]


def test_all_backgrounds_and_actions_are_met():
    scenes = [scene(seed) for seed in range(200)]
    assert {one.background for one in scenes} == set(BACKGROUNDS)
    assert {one.action for one in scenes} == set(ACTIONS)


def test_what_is_given_is_taken_and_leaves_the_rest():
    given = scene(3, character=character(8), background="snow", style="ink")
    assert (given.character, given.background, given.style) == (character(8), "snow", "ink")
    assert given.action == scene(3).action


@pytest.mark.parametrize("wrong", [{"background": "moon"}, {"action": "flies"}, {"style": "oil"}])
def test_what_the_world_does_not_have_is_refused(wrong):
    with pytest.raises(SceneError) as error:
        scene(0, **wrong)
    assert "write one of" in error.value.hint


@pytest.mark.parametrize("style", STYLES)
def test_captions_name_the_background_and_the_action(style):
    for seed in range(60):
        one = scene(seed, style=style)
        said = caption(one).lower()
        assert WHERE[one.background] in said
        assert one.action in said
        assert ("ink drawing" in said) == (style == "ink")


def test_captions_do_not_say_who_it_is():
    attributes = {
        *HAIRS,
        *CLOTHES,
        "hair",
        "bald",
        "hat",
        "cap",
        "beanie",
        "beard",
        "moustache",
        "glasses",
        "sunglasses",
    }
    for seed in range(100):
        words = set(caption(scene(seed)).lower().replace(".", "").replace(",", "").split())
        assert not words & attributes


def test_captions_are_worded_in_several_ways_and_always_the_same_for_a_seed():
    same = [caption(scene(seed, background="beach", action="jumps")) for seed in range(60)]
    assert len(set(same)) == 5
    assert same == [caption(scene(seed, background="beach", action="jumps")) for seed in range(60)]
