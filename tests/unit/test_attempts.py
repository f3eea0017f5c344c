"""Attempts: which clip a job takes, which it makes next, and with which seed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from jobs import make_job

from standin_batch.attempts import attempt, attempts, decide, reseeded, told
from standin_batch.job import job_id
from standin_batch.manifest.manifest import Acceptance, Condition

LIKE = Condition("face_similarity", ">=", 0.5)
STILL = Condition("motion", "<", 2.0)


def face(value):
    return {"face_similarity": value, "motion": 1.0}


def test_the_first_clip_that_meets_everything_is_taken():
    accept = Acceptance((LIKE,), max_reseeds=3)
    assert decide(accept, {}).wanted == (0,)
    assert decide(accept, {0: face(0.4)}).wanted == (1,)
    found = decide(accept, {0: face(0.4), 1: face(0.5)})
    assert (found.taken, found.wanted, found.rejected) == (1, (), (0,))


def test_without_any_attempt_left_none_is_taken_and_the_best_is_known():
    found = decide(Acceptance((LIKE,), max_reseeds=1), {0: face(0.1), 1: face(0.4)})
    assert (found.exhausted, found.taken, found.best, found.rejected) == (True, None, 1, (0, 1))


def test_of_several_the_best_is_taken_once_all_are_made():
    accept = Acceptance((LIKE,), best_of=3)
    assert decide(accept, {0: face(0.9)}).wanted == (1, 2)
    found = decide(accept, {0: face(0.6), 1: face(0.8), 2: face(0.7)})
    assert (found.taken, found.rejected) == (1, (0, 2))


def test_where_none_of_several_is_good_more_are_made_one_by_one():
    accept = Acceptance((LIKE,), best_of=2, max_reseeds=2)
    bad = {0: face(0.1), 1: face(0.2)}
    assert decide(accept, bad).wanted == (2,)
    assert decide(accept, {**bad, 2: face(0.3)}).wanted == (3,)
    assert decide(accept, {**bad, 2: face(0.6)}).taken == 2


def test_less_can_be_better():
    accept = Acceptance((STILL,), best_of=2)
    assert decide(accept, {0: {"motion": 1.0}, 1: {"motion": 0.5}}).taken == 1


def test_without_conditions_the_likest_is_taken():
    assert decide(Acceptance((), best_of=2), {0: face(0.2), 1: face(0.3)}).taken == 1


def test_every_condition_counts():
    accept = Acceptance((LIKE, STILL), max_reseeds=1)
    assert decide(accept, {0: {"face_similarity": 0.9, "motion": 3.0}}).wanted == (1,)


def test_a_score_that_a_clip_cannot_have_is_no_hindrance():
    assert decide(Acceptance((LIKE,)), {0: {"motion": 1.0}}).taken == 0


def test_a_clip_that_shows_no_face_misses_what_is_asked_of_it():
    assert decide(Acceptance((LIKE,)), {0: face(None)}).wanted == (1,)
    assert told(Acceptance((LIKE,)), face(None)) == "face_similarity none, as no face was found, not >= 0.5"


def test_a_clip_that_nobody_looked_at_leaves_everything_open():
    found = decide(Acceptance((LIKE,)), {0: {}})
    assert (found.taken, found.wanted, found.rejected, found.unscored) == (None, (), (), (0,))
    assert not found.exhausted


def test_an_attempt_is_the_same_job_with_another_seed_and_id():
    job = make_job(7, accept=Acceptance((LIKE,), best_of=2, max_reseeds=1))
    first, second, third = attempts(job)
    assert first is job
    assert (second.attempt, second.first_seed, second.seed) == (1, 7, reseeded(7, 1))
    assert len({first.seed, second.seed, third.seed}) == 3
    assert second.job_id == job_id(second)
    assert second.label.endswith(f"seed {second.seed}, attempt 2")


def test_a_job_that_asks_for_nothing_has_one_attempt():
    job = make_job(7)
    assert tuple(attempts(job)) == (job,)


def test_every_attempt_leads_to_the_same_others():
    job = make_job(7, accept=Acceptance((LIKE,), max_reseeds=3))
    job = replace(job, job_id=job_id(job))
    every = tuple(attempts(job))
    assert all(attempt(one, number) == other for one in every for number, other in enumerate(every))


scores = st.one_of(st.none(), st.floats(-1, 1)).map(face)


@given(
    made=st.dictionaries(st.integers(0, 7), scores),
    best_of=st.integers(1, 4),
    max_reseeds=st.integers(0, 4),
    threshold=st.floats(-1, 1),
)
def test_following_what_is_wanted_always_ends(made, best_of, max_reseeds, threshold):
    accept = Acceptance((Condition("face_similarity", ">=", threshold),), best_of=best_of, max_reseeds=max_reseeds)
    known = {}
    while (found := decide(accept, known)).wanted:
        assert found.taken is None
        assert not known.keys() & set(found.wanted)
        known |= {number: made.get(number, face(None)) for number in found.wanted}
    assert len(known) <= best_of + max_reseeds
    assert set(found.rejected) == known.keys() - {found.taken}
    if found.taken is None:
        assert len(known) == best_of + max_reseeds
    else:
        value = known[found.taken]["face_similarity"]
        assert value >= threshold
        assert all(
            (known[number]["face_similarity"] or -2) <= value for number in range(best_of) if found.taken < best_of
        )


@given(st.permutations(range(4)))
def test_what_is_decided_does_not_hang_on_the_order_in_which_clips_were_made(order):
    accept, values = Acceptance((LIKE,), best_of=4), [0.6, 0.9, 0.9, 0.1]
    assert decide(accept, {number: face(values[number]) for number in order}).taken == 1
