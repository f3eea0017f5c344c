"""Two workers of one rank, as a node that was taken for lost goes on: the first leaves, the second waits for that."""

from __future__ import annotations

import pytest
from holding import Rests, held_elsewhere, long_ago, released, write

from standin_batch.backends.slurm.array import worker_name
from standin_batch.backends.slurm.succession import PATIENCE, is_followed, let_go
from standin_batch.output.layout import OutputLayout


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(tmp_path)


def post(layout, rank, restarts):
    return layout.worker(worker_name("12", rank, restarts)).lock


def test_who_is_followed_sees_it_and_the_last_one_is_not(layout):
    for rank, restarts in ((0, 0), (0, 1), (0, 4), (1, 0)):
        write(post(layout, rank, restarts))
    assert [is_followed(layout, "12", 0, restarts) for restarts in (0, 1, 2, 4)] == [True, True, True, False]
    assert not is_followed(layout, "12", 1, 0)


def test_the_first_worker_of_a_rank_waits_for_nobody(layout):
    write(post(layout, 1, 0), host="elsewhere")
    let_go(layout, "12", 0, 0, lambda _: pytest.fail("it waited"))


def test_who_follows_waits_until_the_one_before_has_left(layout):
    with held_elsewhere(post(layout, 0, 0)) as before:
        rests = Rests(lambda: released(before) if len(rests) == 2 else None)
        let_go(layout, "12", 0, 1, rests)
    assert len(rests) == 2


def test_or_until_it_gives_no_sign_of_life_any_more(layout):
    write(lock := post(layout, 0, 0), host="elsewhere")
    let_go(layout, "12", 0, 1, rests := Rests(lambda: long_ago(lock)))
    assert len(rests) == 1


def test_but_not_for_ever(layout):
    write(post(layout, 0, 0), host="elsewhere")
    let_go(layout, "12", 0, 2, rests := Rests(), clock=lambda: float(sum(rests)))
    assert sum(rests) == PATIENCE
