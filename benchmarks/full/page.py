"""The table of the full-size run in Markdown, put into a page between two marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.common import NOT_MEASURED, BenchmarkError, Row, number

BEGIN, END = "<!-- full size: begin -->", "<!-- full size: end -->"


def fill(page: Path, rows: Sequence[Row], told: str) -> None:
    """Replace what stands between the marks of `page`.

    Args:
        page: a Markdown file that has both marks.
        rows: of the table.
        told: a line above it: on which machine, with which versions.

    Raises:
        BenchmarkError: if the marks are not there.
    """
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise BenchmarkError(f"{page} has no {BEGIN} before a {END}")
    between = "\n".join(("", told, "", *markdown(rows), ""))
    page.write_text(f"{before}{BEGIN}{between}{END}{after}", encoding="utf-8")


def markdown(rows: Sequence[Row]) -> Iterator[str]:
    """The lines of a table."""
    yield "| what | bar | came out |"
    yield "| --- | --- | --- |"
    for row in rows:
        yield f"| {row.what.strip()} | {row.bar} | {_value(row)} |"


def _value(row: Row) -> str:
    return NOT_MEASURED if row.value is None else f"{number(row.value)} {row.unit}".rstrip()
