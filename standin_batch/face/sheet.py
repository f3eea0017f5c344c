"""The contact sheet: what the model will be shown of everybody, on one picture, with what is wrong in a few words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

Verdict = Literal["ok", "warning", "error"]
Colour = tuple[int, int, int]

PER_PAGE = 60
COLUMNS = 6
PICTURE = 256
FRAME = 6
GAP = 22
MARGIN = 32
HEAD = 96
LINES = 4
"""Lines of findings that a tile has room for."""

PAPER: Colour = (250, 250, 248)
INK: Colour = (28, 30, 34)
PALE: Colour = (110, 114, 120)
COLOURS: dict[Verdict, Colour] = {"ok": (34, 139, 84), "warning": (178, 98, 0), "error": (196, 38, 46)}
WORDS: dict[Verdict, str] = {"ok": "good", "warning": "worth a look", "error": "no use"}

NAME_SIZE, TEXT_SIZE, TITLE_SIZE = 18, 14, 26
WIDE_FONTS = ("NotoSansCJK-Regular.ttc", "NotoSans-Regular.ttf", "DejaVuSans.ttf")
"""For names that Pillow's own font has no letters for, where this machine has one of them."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Tile:
    """One identity.

    Attributes:
        name: of it.
        picture: what the model will be shown, or the photograph where that is nothing; None if it cannot be read.
        verdict: the worst of its findings.
        numbers: what was measured, on one line.
        findings: what is wrong, each in a few words.
        shown: whether the picture is what the model will be shown.
    """

    name: str
    picture: Image.Image | None
    verdict: Verdict
    numbers: str
    findings: tuple[str, ...]
    shown: bool = True


def pages(title: str, tiles: Sequence[Tile]) -> Iterator[Image.Image]:
    """Sheets of at most 60 tiles each, RGB; at least one.

    Args:
        title: stands above each.
        tiles: from left to right and top to bottom.
    """
    count = max(1, -(-len(tiles) // PER_PAGE))
    rest = iter(tiles)
    for number in range(1, count + 1):
        numbered = title if count == 1 else f"{title}, page {number} of {count}"
        yield _page(numbered, list(islice(rest, PER_PAGE)), tiles)


def _page(title: str, tiles: Sequence[Tile], everybody: Sequence[Tile]) -> Image.Image:
    columns = min(COLUMNS, max(len(tiles), 3))
    rows = -(-len(tiles) // columns)
    width = 2 * MARGIN + columns * (_tile_width() + GAP) - GAP
    page = Image.new("RGB", (width, HEAD + rows * (_tile_height() + GAP) + MARGIN), PAPER)
    draw = ImageDraw.Draw(page)
    draw.text(
        (MARGIN, 24), _fitting(title, _font(TITLE_SIZE, title), width - 2 * MARGIN), INK, _font(TITLE_SIZE, title)
    )
    _legend(draw, everybody)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        _tile(page, tile, MARGIN + column * (_tile_width() + GAP), HEAD + row * (_tile_height() + GAP))
    return page


def _legend(draw: ImageDraw.ImageDraw, tiles: Sequence[Tile]) -> None:
    x, y, font = MARGIN, 64, _font(TEXT_SIZE)
    for verdict, word in WORDS.items():
        number = sum(tile.verdict == verdict for tile in tiles)
        draw.rectangle((x, y + 1, x + 13, y + 14), COLOURS[verdict])
        text = f"{number} {word}"
        draw.text((x + 20, y), text, INK, font)
        x += 20 + round(font.getlength(text)) + 24
    draw.text((x, y), "each as the model will be shown it, unless it says otherwise", PALE, font)


def _tile(page: Image.Image, tile: Tile, x: int, y: int) -> None:
    draw = ImageDraw.Draw(page)
    side = _tile_width()
    draw.rectangle((x, y, x + side - 1, y + side - 1), COLOURS[tile.verdict])
    page.paste(_square(tile), (x + FRAME, y + FRAME))
    if not tile.shown and tile.picture is not None:
        _ribbon(draw, x + FRAME, y + FRAME, "not shown to the model")
    y += side + 8
    draw.text((x, y), _fitting(tile.name, _font(NAME_SIZE, tile.name), side), INK, _font(NAME_SIZE, tile.name))
    y += 26
    font = _font(TEXT_SIZE)
    draw.text((x, y), _fitting(tile.numbers, font, side), PALE, font)
    for line in _lines(tile, font, side):
        y += 19
        draw.text((x, y), line, COLOURS[tile.verdict], _font(TEXT_SIZE, line))


def _lines(tile: Tile, font: Font, width: int) -> list[str]:
    lines = [line for finding in tile.findings for line in _wrapped(finding, font, width)]
    return lines if len(lines) <= LINES else [*lines[: LINES - 1], f"and {len(lines) - LINES + 1} lines more"]


def _wrapped(text: str, font: Font, width: int) -> Iterator[str]:
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and font.getlength(longer) > width:
            yield line
            longer = f"  {word}"
        line = longer
    yield _fitting(line, font, width)


def _fitting(text: str, font: Font, width: int) -> str:
    """`text`, or as much of it as is not wider."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"


def _square(tile: Tile) -> Image.Image:
    """The picture in a square, whole, on white."""
    square = Image.new("RGB", (PICTURE, PICTURE), (255, 255, 255))
    if tile.picture is None:
        font = _font(TEXT_SIZE)
        ImageDraw.Draw(square).text((PICTURE // 2, PICTURE // 2), "cannot be read", PALE, font, anchor="mm")
        return square
    small = tile.picture.convert("RGB")
    small.thumbnail((PICTURE, PICTURE), Image.Resampling.LANCZOS)
    square.paste(small, ((PICTURE - small.width) // 2, (PICTURE - small.height) // 2))
    return square


def _ribbon(draw: ImageDraw.ImageDraw, x: int, y: int, text: str) -> None:
    draw.rectangle((x, y + PICTURE - 26, x + PICTURE - 1, y + PICTURE - 1), INK)
    draw.text((x + PICTURE // 2, y + PICTURE - 13), text, PAPER, _font(TEXT_SIZE), anchor="mm")


def _tile_width() -> int:
    return PICTURE + 2 * FRAME


def _tile_height() -> int:
    return _tile_width() + 8 + 26 + 19 * (LINES + 1)


def _font(size: int, text: str = "") -> Font:
    """Pillow's own font; for other scripts one of this machine's, where it has any."""
    if not text.isascii() and not _is_latin(text):
        for name in WIDE_FONTS:
            try:
                return ImageFont.truetype(name, size)
            except OSError:
                continue
    return ImageFont.load_default(size)


def _is_latin(text: str) -> bool:
    return all(ord(char) < 0x180 or char in "…°–—" for char in text)
