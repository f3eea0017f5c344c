"""Few cases of each kind, answered by drawing what they ask for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from drawn_oracle import Oracle

from training.meaning.cases import PLAIN, Amounts, cases, people
from training.meaning.judges import FIRST_FITTED, FIRST_TRIED, judges
from training.world.draw import draw

AMOUNTS = Amounts(gallery=4, identity=3, control=2, style=2, swap=2)
EXAMPLES = 48


def wanted(case):
    """The scene that would be the right answer."""
    return replace(case.scene, style="plain") if case.kind == PLAIN else case.scene


@pytest.fixture(scope="session")
def everybody():
    return people(AMOUNTS.gallery)


@pytest.fixture(scope="session")
def asked():
    return cases(AMOUNTS)


@pytest.fixture(scope="session")
def drawn_answers(asked):
    """A clip for each case: what it asks for, drawn."""
    return {case.name: draw(wanted(case)) for case in asked}


@pytest.fixture(scope="session")
def oracle(asked, everybody):
    found = Oracle()
    for case in asked:
        found.know_clip(wanted(case))
    for who in everybody:
        found.know_portrait(who)
    for first in (FIRST_FITTED, FIRST_TRIED):
        found.know_examples(range(first, first + EXAMPLES))
    return found


@pytest.fixture(scope="session")
def drawn_judges(oracle):
    return judges(oracle, EXAMPLES, EXAMPLES)
