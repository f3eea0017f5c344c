"""The report of an output folder: Markdown, and plots in a folder beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from standin_batch.files import write_atomic
from standin_batch.output import plots
from standin_batch.output.failed import FailedJob
from standin_batch.output.layout import OutputLayout
from standin_batch.output.report_facts import Facts, read_facts
from standin_batch.output.report_text import report_text, span

PHASES, SPREAD, IDENTITIES, LORAS = "phases", "scores", "by-identity", "by-loras"
"""Names of the plots."""

Draw = Callable[[Path], None]


def write_report(layout: OutputLayout, failures: Iterable[FailedJob], to: Path | None = None) -> Facts:
    """Write the report; returns what it tells.

    Args:
        layout: of the output folder.
        failures: jobs that have no clip.
        to: file of the report; `report.md` in the output folder unless said. Plots go into a folder of its name.
    """
    path = layout.report if to is None else to
    folder = path.with_suffix("")
    facts = read_facts(layout, failures)
    drawn = dict(_plots(facts))
    for name in (PHASES, SPREAD, IDENTITIES, LORAS):
        if name in drawn:
            drawn[name](folder / f"{name}.svg")
        else:
            (folder / f"{name}.svg").unlink(missing_ok=True)  # of an older report
    text = report_text(facts, {name: f"{folder.name}/{name}.svg" for name in drawn}, _relative(layout, path))
    write_atomic(path, text)
    return facts


def _plots(facts: Facts) -> Iterator[tuple[str, Draw]]:
    """What there is to draw."""
    phases = dict(sorted(facts.summary.seconds_by_phase.items(), key=lambda it: -it[1]))
    if facts.summary.seconds:
        yield PHASES, partial(plots.bars, values=phases, labels=[*map(span, phases.values())], title="Time by phase")
    values = [value for group in facts.by_identity.values() for value in group]
    score = facts.ranked_by.replace("_", " ").capitalize()
    if len(values) > 1:
        yield SPREAD, partial(plots.histogram, values=values, title=f"{score} of clips that are not rejected")
    for name, groups, of in ((IDENTITIES, facts.by_identity, "identity"), (LORAS, facts.by_loras, "LoRAs")):
        if len(groups) > 1:
            lowest = f", the {plots.ROWS} lowest of {len(groups):,}" if len(groups) > plots.ROWS else ""
            shown = dict(list(groups.items())[: plots.ROWS])
            yield name, partial(plots.strips, groups=shown, title=f"{score} by {of}{lowest}")


def _relative(layout: OutputLayout, report: Path) -> Callable[[str], str]:
    """Where a video lies, seen from the report."""
    start = report.resolve().parent
    return lambda video: Path(os.path.relpath(layout.folder.resolve() / video, start)).as_posix()
