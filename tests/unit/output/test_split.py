"""Splits that leak nobody: pure, by digests, near to the shares that were asked for."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standin_batch.errors import UsageError
from standin_batch.output.split import SplitWish, divide, parse_split, people

NINE_TO_ONE = SplitWish("identity", (0.9, 0.1))
THREE = SplitWish("identity", (0.8, 0.1, 0.1))


def numbered(groups):
    return [f"{place:04d}" for place in range(len(groups))]


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("identity:0.9", (0.9, 0.1)),
        ("identity:0.8,0.1,0.1", (0.8, 0.1, 0.1)),
        ("identity:0.7,0.2", (0.7, 0.2, 0.1)),
        ("prompt_name:.5,.5", (0.5, 0.5)),
    ],
)
def test_shares_are_of_train_validation_and_test(text, shares):
    assert parse_split(text) == SplitWish(text.partition(":")[0], pytest.approx(shares))


@pytest.mark.parametrize(
    "numbers", ["", ":", ":1", ":0", ":x", ":1.2", ":-0.1,1.1", ":0.25,0.25,0.25,0.25", ":0.9,0.3", ":0.9,", ":nan"]
)
def test_what_is_no_division_is_refused(numbers):
    with pytest.raises(UsageError, match="--split"):
        parse_split(f"identity{numbers}")


def test_an_unknown_column_is_told():
    with pytest.raises(UsageError) as caught:
        parse_split("identty:0.9")
    assert caught.value.hint == "did you mean identity?"


def test_a_person_is_one_by_name_by_picture_and_by_what_preflight_found():
    rows = [("ada", "p1"), ("ada", "p2"), ("lady", "p2"), ("grace", "p3"), ("rear", "p4"), (None, None), ("bob", None)]
    ada, again, lady, grace, rear, nobody, bob = people(rows, [("p4", "p5"), ("p5", "p3")])
    assert ada == again == lady == "image:p1"
    assert grace == rear == "image:p3"
    assert (nobody, bob) == (None, "name:bob")


@st.composite
def crowds(draw):
    sizes = draw(st.lists(st.integers(1, 9), min_size=3, max_size=30))
    nobody = draw(st.integers(0, 9))
    return [f"p{place}" for place, size in enumerate(sizes) for _ in range(size)] + [None] * nobody


@given(crowds(), st.sampled_from([NINE_TO_ONE, THREE]), st.randoms(use_true_random=False))
def test_no_group_crosses_every_split_has_one_and_the_order_does_not_matter(groups, wish, random):
    ids = numbered(groups)
    splits = dict(zip(ids, divide(groups, ids, wish), strict=True))
    by_group = {}
    for job_id, group in zip(ids, groups, strict=True):
        by_group.setdefault(group, set()).add(splits[job_id])
    nobody = by_group.pop(None, set())
    assert all(len(found) == 1 for found in by_group.values())
    assert set.union(*by_group.values()) == set(range(len(wish.shares))) >= nobody
    shuffled = list(zip(groups, ids, strict=True))
    random.shuffle(shuffled)
    again = divide([group for group, _ in shuffled], [job_id for _, job_id in shuffled], wish)
    assert {job_id: split for (_, job_id), split in zip(shuffled, again, strict=True)} == splits


@given(st.lists(st.integers(1, 20), min_size=60, max_size=80))
def test_shares_are_nearer_than_half_a_group(sizes):
    groups = [f"p{place}" for place, size in enumerate(sizes) for _ in range(size)]
    counted = Counter(divide(groups, numbered(groups), NINE_TO_ONE))
    assert abs(counted[0] - 0.9 * len(groups)) <= max(sizes) / 2


@pytest.mark.parametrize("wish", [NINE_TO_ONE, THREE])
def test_one_more_moves_at_most_one_across_each_cut(wish):
    groups = [f"p{place}" for place in range(100)]
    random = Random(2)
    for _ in range(50):
        more = [*groups, f"new {random.random()}"]
        before = divide(groups, numbered(groups), wish)
        moved = sum(a != b for a, b in zip(before, divide(more, numbered(more), wish), strict=False))
        assert moved <= len(wish.shares) - 1


def test_rows_of_nobody_are_divided_in_the_same_shares():
    groups = [*(f"p{i}" for i in range(10)), *[None] * 100]
    counted = Counter(divide(groups, numbered(groups), NINE_TO_ONE)[10:])
    assert counted == {0: 90, 1: 10}


def test_fewer_groups_than_splits_are_an_error():
    with pytest.raises(UsageError, match="1 of `identity` cannot be in 2 splits"):
        divide(["ada"] * 9 + [None] * 9, numbered(range(18)), NINE_TO_ONE)
    with pytest.raises(UsageError, match="2 of `identity` cannot be in 3 splits"):
        divide([None, None], ["a", "b"], THREE)
