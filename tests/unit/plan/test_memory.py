"""The memory ladder: which rung comes next."""

from __future__ import annotations

from standin_batch.plan.memory import Profile, next_profile

WEIGHTS = {Profile.RESIDENT: 60, Profile.OFFLOAD: 30, Profile.LOWEST: 5}


def test_without_a_count_it_is_one_rung():
    assert next_profile(Profile.RESIDENT, None, None, WEIGHTS) is Profile.OFFLOAD
    assert next_profile(Profile.OFFLOAD, None, None, WEIGHTS) is Profile.LOWEST


def test_a_rung_under_which_the_peak_would_not_have_fit_is_passed_over():
    assert next_profile(Profile.RESIDENT, 100, 80, WEIGHTS) is Profile.OFFLOAD
    assert next_profile(Profile.RESIDENT, 120, 80, WEIGHTS) is Profile.LOWEST


def test_the_lowest_is_tried_even_if_the_count_speaks_against_it():
    assert next_profile(Profile.RESIDENT, 500, 80, WEIGHTS) is Profile.LOWEST


def test_below_the_lowest_there_is_nothing():
    assert next_profile(Profile.LOWEST, 100, 80, WEIGHTS) is None
