"""What is asked: characters nobody was trained on, in every place and doing everything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from training.clips import HELD_OUT
from training.meaning.cases import (
    IDENTITY,
    INK,
    NOBODY,
    PLAIN,
    SCENES,
    SHORT,
    SWAP,
    cases,
    in_full,
    of_kind,
    people,
)
from training.world.character import character
from training.world.scene import ACTIONS, BACKGROUNDS

FULL = in_full(50)


def test_nobody_is_anybody_a_stage_was_trained_on():
    unseen = {character(seed) for seed in range(HELD_OUT, HELD_OUT + 100)}
    assert set(people(50)) <= unseen
    assert all(case.scene.seed >= SCENES > HELD_OUT for case in cases(FULL))


def face(who):
    """What is seen of a character if one sees no more than the head."""
    return replace(who, clothes="", pattern="", hat_colour=who.hat_colour if who.hat != "none" else "")


def test_no_two_people_have_the_same_face():
    found, drawn = people(300), [character(seed) for seed in range(HELD_OUT, HELD_OUT + 300)]
    assert len({face(who) for who in found}) == len(found) == 300
    assert len({face(who) for who in drawn}) < 300, "of so many some do"


def test_more_people_begin_with_the_same_ones():
    assert people(50)[:20] == people(20)


@pytest.mark.parametrize("amounts", [SHORT, FULL])
def test_every_job_has_a_name_of_its_own(amounts):
    names = [case.name for case in cases(amounts)]
    assert len(names) == len(set(names))
    assert all(of_kind(cases(amounts), kind) for kind in (IDENTITY, NOBODY, INK, PLAIN, SWAP))


def test_it_is_the_same_every_time():
    assert cases(SHORT) == cases(SHORT)


@pytest.mark.parametrize(("one", "other"), [(IDENTITY, NOBODY), (INK, PLAIN)])
def test_pairs_differ_in_what_is_measured_alone(one, other):
    asked = cases(FULL)
    pairs = list(zip(of_kind(asked, one), of_kind(asked, other), strict=True))
    assert pairs
    assert all((left.prompt, left.seed, left.who) == (right.prompt, right.seed, right.who) for left, right in pairs)


def test_every_place_goes_with_every_action():
    found = {(case.scene.background, case.scene.action) for case in of_kind(cases(FULL), IDENTITY)}
    assert len(found) == len(BACKGROUNDS) * len(ACTIONS) == 48


def test_no_two_kinds_share_a_scene():
    seeds = [case.scene.seed for case in cases(FULL) if case.kind not in (NOBODY, PLAIN)]
    assert len(seeds) == len(set(seeds))


def test_a_swap_puts_somebody_in_another_s_place():
    for case in of_kind(cases(FULL), SWAP):
        assert case.given.character != case.who
        assert case.given.character in people(50)
        assert replace(case.given, character=case.who) == case.scene
