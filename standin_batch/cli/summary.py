"""What a person reads when a run has ended: where the time went, how good the clips are, and what failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.box import SIMPLE
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from standin_batch.cli.console import count, duration, printable, size
from standin_batch.output.counted import Pace, ScoreRow
from standin_batch.output.summary import Cause, Summary
from standin_batch.speed import EXACT

MOST_GROUPS = 8
"""Groups of clips that are shown; `standin dataset report` shows all."""

MOST_CAUSES = 5
MOST_LABELS = 3

COLUMNS = {"face_similarity": "face", "face_frames": "frames with face", "sharpness": "sharpness", "motion": "motion"}
"""Scores that are shown, and what they are called."""


def drawn(summary: Summary) -> Iterator[RenderableType]:
    """The summary, piece by piece; nothing of a run that made nothing."""
    if summary.clips:
        yield from _times(summary)
        if (table := _scores(summary.score_rows)) is not None:
            yield table
    yield from _failures(summary.causes)


def _times(summary: Summary) -> Iterator[Text]:
    phases = sorted(summary.seconds_by_phase.items(), key=lambda phase: -phase[1])
    told = " · ".join(f"{phase} {duration(seconds)}" for phase, seconds in phases if seconds >= 0.05)
    yield _row("time", told or duration(summary.seconds))
    for pace in summary.paces:
        yield _row("pace", _pace(pace))


def _pace(pace: Pace) -> str:
    what = f"{pace.model}, {pace.width}x{pace.height}x{pace.num_frames}, {count(pace.clips, 'clip')}"
    what = what if pace.speed == str(EXACT) else f"{what}, {pace.speed}"
    memory = "" if pace.peak_memory is None else f", peak {size(pace.peak_memory)} of GPU memory"
    return f"{pace.seconds_per_step:.3g} s a step ({what}{memory})"


def _scores(rows: Iterable[ScoreRow]) -> Table | None:
    """A table of the groups that tell more than all clips together; None without any score."""
    shown = [row for row in _telling(rows) if row.scores]
    names = [name for name in COLUMNS if any(name in row.scores for row in shown)]
    if not names:
        return None
    table = Table(box=SIMPLE, pad_edge=False, show_edge=False, padding=(0, 1))
    for heading in ("mean (least)", "", "clips", *(COLUMNS[name] for name in names)):
        table.add_column(heading, justify="left" if heading in ("mean (least)", "") else "right")
    before = ""
    for row in shown[:MOST_GROUPS]:
        cells = [_spread(row, name) for name in names]
        table.add_row("" if row.key == before else row.key, printable(row.name), f"{row.n:,}", *cells)
        before = row.key
    if (more := len(shown) - MOST_GROUPS) > 0:
        table.add_row("", f"… and {more:,} more groups: standin dataset report", style="dim")
    return table


def _telling(rows: Iterable[ScoreRow]) -> list[ScoreRow]:
    """By what clips differ; where they differ by nothing, by identity."""
    keys: dict[str, list[ScoreRow]] = {}
    for row in rows:
        keys.setdefault(row.key, []).append(row)
    several = [row for group in keys.values() if len(group) > 1 for row in group]
    return several or keys.get("identity", [])


def _spread(row: ScoreRow, name: str) -> str:
    found = row.scores.get(name)
    if found is None:
        return "-"
    places = 2 if max(abs(found.mean), abs(found.min)) < 10 else 0
    return f"{found.mean:.{places}f} ({found.min:.{places}f})"


def _failures(causes: Iterable[Cause]) -> Iterator[Text]:
    found = list(causes)
    for cause in found[:MOST_CAUSES]:
        names = ", ".join(cause.labels[:MOST_LABELS]) + (", …" if len(cause.labels) > MOST_LABELS else "")
        yield _row("failed", f"{len(cause.labels):,} x {cause.kind}: {cause.cause} ({names})", "red")
    if (more := len(found) - MOST_CAUSES) > 0:
        yield _row("", f"… and {count(more, 'more cause')}", "dim")


def _row(name: str, told: str, style: str = "") -> Text:
    return Text.assemble((f"  {name:<7} ", "bold cyan"), (printable(told), style))
