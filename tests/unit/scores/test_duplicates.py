"""Near-duplicates: found by bands of bits, and the same as by comparing everything with everything."""

from __future__ import annotations

import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standin_batch.scores.duplicates import HASH_BITS, NEAR, near_duplicates


def text(number):
    return f"{number:048x}"


def flipped(number, *bits):
    for bit in bits:
        number ^= 1 << bit
    return number


def by_comparing_all(hashes, near):
    kept, found = [], {}
    for job_id, number in hashes:
        like = next((other for other, its in kept if (its ^ number).bit_count() <= near), None)
        if like is None:
            kept.append((job_id, number))
        else:
            found[job_id] = like
    return found


@st.composite
def families(draw):
    """Hashes that are some bits away from one another, so that many distances lie about the limit."""
    numbers = [draw(st.integers(0, 2**HASH_BITS - 1))]
    for _ in range(draw(st.integers(0, 25))):
        parent = draw(st.sampled_from(numbers))
        bits = draw(st.sets(st.integers(0, HASH_BITS - 1), max_size=14))
        numbers.append(flipped(parent, *bits))
    return [(f"{place:02d}", number) for place, number in enumerate(numbers)]


@given(families(), st.integers(0, 12))
def test_bands_find_what_comparing_all_finds(hashes, near):
    assert near_duplicates([(job_id, text(number)) for job_id, number in hashes], near) == by_comparing_all(
        hashes, near
    )


@pytest.mark.parametrize(("differing", "found"), [(0, True), (NEAR, True), (NEAR + 1, False)])
def test_so_many_bits_may_differ(differing, found):
    spread = [HASH_BITS * i // (NEAR + 1) for i in range(differing)]  # one in each band
    hashes = [("a", text(0)), ("b", text(flipped(0, *spread)))]
    assert near_duplicates(hashes) == ({"b": "a"} if found else {})


def test_of_clips_that_look_the_same_the_first_stays():
    assert near_duplicates([("b", text(5)), ("a", text(5)), ("c", text(4))]) == {"a": "b", "c": "b"}


def test_what_is_only_like_a_near_duplicate_stays():
    """In a chain, the third is not like the first: leaving both of the others out would lose what it shows."""
    chain = [0, flipped(0, *range(8)), flipped(0, *range(16))]
    assert near_duplicates((str(place), text(number)) for place, number in enumerate(chain)) == {"1": "0"}


def test_no_hash_looks_like_no_other():
    assert near_duplicates([("a", ""), ("b", ""), ("c", "x" * 48), ("d", "x" * 48)]) == {}


@pytest.mark.timing
def test_a_hundred_thousand_clips_take_seconds():
    random = Random(0)
    clips = [random.getrandbits(HASH_BITS) for _ in range(90_000)]
    clips += [flipped(random.choice(clips), *random.sample(range(HASH_BITS), 6)) for _ in range(10_000)]
    began = time.perf_counter()
    found = near_duplicates((str(place), text(number)) for place, number in enumerate(clips))
    assert time.perf_counter() - began < 20
    assert len(found) == 10_000
