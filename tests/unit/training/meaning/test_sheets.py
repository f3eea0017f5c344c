"""The pictures to look at: a portrait beside its strips, a sheet for each mode."""

from __future__ import annotations

import pytest

from training.meaning.sheets import ENLARGED, FRAMES, GAP, sheets

SIDE = 96 * ENLARGED
STRIP = len(FRAMES) * (SIDE + GAP) - GAP


@pytest.fixture(scope="module")
def drawn(asked, drawn_answers):
    return sheets(asked, drawn_answers)


def test_there_is_one_for_each_mode(drawn):
    assert set(drawn) == {"identity", "control", "style", "swap"}


@pytest.mark.parametrize(
    ("name", "rows", "strips"), [("identity", 3, 1), ("control", 2, 2), ("style", 2, 2), ("swap", 2, 2)]
)
def test_a_row_has_the_portrait_as_high_as_its_strips(drawn, name, rows, strips):
    high = strips * (SIDE + GAP) - GAP
    assert drawn[name].shape == (rows * (high + GAP) - GAP, high + GAP + STRIP, 3)


def test_what_is_between_pictures_is_white(drawn):
    assert (drawn["identity"][:, SIDE : SIDE + GAP] == 255).all()
    assert drawn["identity"].std() > 10
