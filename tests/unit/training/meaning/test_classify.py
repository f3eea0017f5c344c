"""Ridge regression to yes or no: what it tells apart, and what does not disturb it."""

from __future__ import annotations

import numpy as np

from training.meaning.classify import fit

NAMES = ["left", "right", "up"] * 20


def examples(spread=0.1, seed=0):
    places = np.array([(-1.0, 0.0), (1.0, 0.0), (0.0, 1.0)] * 20)
    return places + np.random.default_rng(seed).normal(0, spread, places.shape)


def test_what_lies_apart_is_told_apart():
    assert fit(examples(), NAMES).classify(examples(seed=1)) == NAMES


def test_it_generalises_better_than_by_chance_where_things_overlap():
    found = fit(examples(0.6), NAMES).classify(examples(0.6, seed=1))
    assert 0.6 < np.mean([one == two for one, two in zip(found, NAMES, strict=True)]) < 1


def test_a_feature_that_never_changes_does_no_harm():
    table = np.column_stack([examples(), np.full(len(NAMES), 7.0)])
    assert fit(table, NAMES).classify(table) == NAMES


def test_the_size_of_a_feature_does_not_matter():
    scaled = examples() * (1e6, 1e-6) + (1e7, 0)
    assert fit(scaled, NAMES).classify(scaled) == NAMES


def test_more_features_than_examples_are_borne():
    noise = np.random.default_rng(2).normal(0, 0.1, (len(NAMES), 100))
    table = np.column_stack([examples(), noise])
    assert fit(table, NAMES).classify(table) == NAMES


def test_a_frequent_name_is_the_answer_where_nothing_can_be_seen():
    classifier = fit(np.random.default_rng(3).normal(size=(50, 2)) * 1e-9, ["rare"] * 5 + ["often"] * 45)
    assert classifier.classify([(0.0, 0.0)]) == ["often"]
