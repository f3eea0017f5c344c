"""The classifiers, on drawn clips that they were not fitted on."""

from __future__ import annotations

from training.meaning.judges import FIRST_FITTED, FIRST_TRIED, sampled, varied
from training.meaning.tracks import Seen, look
from training.world.scene import ACTIONS, BACKGROUNDS


def test_few_examples_are_enough_for_most_clips(drawn_judges):
    assert drawn_judges.place.right > 0.8
    assert drawn_judges.action.right > 0.8
    assert drawn_judges.style.right > 0.95


def test_48_scenes_show_every_pair_once():
    for first in (FIRST_FITTED, FIRST_TRIED):
        pairs = {(scene.background, scene.action) for scene in map(varied, range(first, first + 48))}
        assert len(pairs) == len(BACKGROUNDS) * len(ACTIONS)


def test_what_is_learnt_from_is_not_what_is_tried():
    fitted, tried = (list(map(varied, range(first, first + 48))) for first in (FIRST_FITTED, FIRST_TRIED))
    assert not {scene.character for scene in fitted} & {scene.character for scene in tried}


def test_a_clip_is_judged_by_name(drawn_judges, oracle):
    scene = varied(FIRST_FITTED)
    frames = sampled(scene)
    assert drawn_judges.place_of(frames) == scene.background
    assert drawn_judges.style_of(frames) == "plain"
    assert drawn_judges.style_of(sampled(varied(FIRST_FITTED, "ink"))) == "ink"
    assert drawn_judges.action_of(look(frames, oracle)) == scene.action


def test_without_faces_there_is_no_action(drawn_judges):
    assert drawn_judges.action_of(Seen({})) is None
