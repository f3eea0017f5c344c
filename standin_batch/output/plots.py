"""Plots of a report, as SVG without background: their colours can be read on light pages and on dark ones."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from standin_batch.files import replace_atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#7a7a7a"
"""Of texts and lines: 4.3 to 1 on white, 4.8 to 1 on black (WCAG's contrast)."""

FILL = "#2f8fd0"
POINT = "#d9822b"

WIDTH = 7.5
"""Inches."""

ROWS = 25
"""Rows of a plot that has one for each group; more cannot be read."""

POINTS = 200
"""Points of a group in a plot."""


def bars(path: Path, values: Mapping[str, float], labels: Sequence[str], title: str) -> None:
    """One bar for each name, from top to bottom, with its label behind it."""
    with _axes(path, 0.6 + 0.32 * len(values), title) as axes:
        names = list(values)
        found = axes.barh(range(len(names)), list(values.values()), color=FILL)
        axes.bar_label(found, labels=labels, padding=4, color=INK)
        axes.set_yticks(range(len(names)), names)
        axes.margins(x=0.18)
        axes.invert_yaxis()
        axes.xaxis.set_visible(False)


def histogram(path: Path, values: Sequence[float], title: str) -> None:
    """How often which values come; a line at the median."""
    from matplotlib.ticker import MaxNLocator

    with _axes(path, 2.4, title) as axes:
        axes.hist(values, bins=min(40, max(5, len(values) // 5)), color=FILL)
        axes.axvline(sorted(values)[len(values) // 2], color=POINT, linewidth=1.5)
        axes.set_ylabel("clips")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))


def strips(path: Path, groups: Mapping[str, Sequence[float]], title: str) -> None:
    """One row for each group, from top to bottom: a point for each clip, a line at the median.

    Of more than `POINTS` clips, so many of their quantiles are drawn: as many points more would only be a larger file.
    """
    with _axes(path, 0.8 + 0.3 * len(groups), title) as axes:
        for row, values in enumerate(groups.values()):
            spread = [
                row + 0.28 * ((7 * i) % 11 / 5 - 1) for i in range(len(values))
            ]  # side by side, the same each time
            axes.scatter(values, spread, s=9, color=FILL, alpha=0.8, linewidths=0)
            axes.vlines(sorted(values)[len(values) // 2], row - 0.4, row + 0.4, color=POINT, linewidth=2)
        axes.set_yticks(range(len(groups)), [_short(name) for name in groups])
        axes.set_ylim(len(groups) - 0.5, -0.5)


def _quantiles(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    if len(ordered) <= POINTS:
        return ordered
    return [ordered[round(i * (len(ordered) - 1) / (POINTS - 1))] for i in range(POINTS)]


def _short(name: str, length: int = 32) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"


@contextmanager
def _axes(path: Path, height: float, title: str) -> Iterator[Axes]:
    """Axes to draw on; written to `path` when the block ends."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style = {
        **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "font.size": 10,
        "text.parse_math": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "standin",  # ids are drawn at random otherwise, and each report would be another file
    }
    with rc_context(style), replace_atomic(path) as temporary:  # type: ignore[arg-type]
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = figure.subplots()
        axes.set_title(title, loc="left", fontsize=11)
        yield axes
        with warnings.catch_warnings():
            # Its own font has no Chinese, but the text is written as text: who shows it has one.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            figure.savefig(temporary, format="svg", transparent=True, metadata={"Date": None})
