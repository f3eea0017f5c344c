"""The contact sheet of the identities."""

import pytest
from PIL import Image

from standin_batch.face.sheet import COLOURS, MARGIN, PER_PAGE, Tile, pages


def tile(name="ada", verdict="ok", colour=(0, 0, 255), findings=(), **fields):
    picture = Image.new("RGB", (64, 64), colour)
    return Tile(**{"name": name, "picture": picture, "verdict": verdict, "numbers": "", "findings": findings, **fields})


def colours(page):
    return {colour for _, colour in page.getcolors(1 << 24)}


def test_sixty_go_on_a_page():
    counts = {1: 1, 60: 1, 61: 2, 121: 3}
    for number, expected in counts.items():
        assert len(list(pages("people", [tile()] * number))) == expected
    assert PER_PAGE == 60


def test_a_sheet_of_nobody_is_a_page():
    assert len(list(pages("people", []))) == 1


@pytest.mark.parametrize("verdict", COLOURS)
def test_the_frame_has_the_colour_of_the_verdict(verdict):
    (page,) = pages("people", [tile(verdict=verdict, findings=("blurred",))])
    framed = {page.getpixel((MARGIN + 2, y)) for y in range(100, page.height)}
    assert COLOURS[verdict] in framed
    assert not framed & (set(COLOURS.values()) - {COLOURS[verdict]})


def test_every_picture_is_there():
    people = [tile(f"{number}", colour=(number, 40, 90)) for number in range(60)]
    (page,) = pages("people", people)
    assert {(number, 40, 90) for number in range(60)} <= colours(page)


@pytest.mark.parametrize("size", [(1, 1), (4000, 10), (10, 4000), (300, 200)])
def test_pictures_of_any_shape_are_shown_whole(size):
    picture = Image.new("RGB", size, (10, 200, 30))
    (page,) = pages("people", [tile(picture=picture)])
    assert page.width < 1000


def test_what_cannot_be_read_has_a_tile_too():
    (with_one,) = pages("people", [tile(picture=None, verdict="error", findings=("cannot be read",))])
    assert COLOURS["error"] in colours(with_one)


@pytest.mark.parametrize("name", ["x" * 300, "李若楠", "", "two\nlines"])
def test_names_of_any_length_and_script_fit(name):
    (page,) = pages(name, [tile(name, findings=("word " * 90,) * 5)])
    right = page.crop((page.width - MARGIN + 4, 0, page.width, page.height))
    assert colours(right) == {page.getpixel((0, 0))}, "nothing is written over the margin"
