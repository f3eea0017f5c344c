"""Where the time of a run went, for people."""

from __future__ import annotations

from collections.abc import Mapping

from rich.box import SIMPLE
from rich.table import Table

from standin_batch.run.events import Profiled
from standin_batch.run.profile import BESIDE, PARTS

SHOWN_SECONDS = 0.005
"""Parts that took less are not shown."""


def table_of(profiled: Profiled) -> Table:
    """Parts in the order in which a run comes to them, their sum, and what another thread did meanwhile."""
    table = Table(box=SIMPLE, pad_edge=False, show_edge=False, padding=(0, 1), show_footer=False)
    table.add_column("where the time went")
    table.add_column("seconds", justify="right")
    table.add_column("share", justify="right")
    _add(table, PARTS, profiled.parts, profiled.seconds)
    table.add_row("the whole process", f"{profiled.seconds:.2f}", "100.0 %", style="bold", end_section=True)
    _add(table, {name: f"beside these: {told}" for name, told in BESIDE.items()}, profiled.beside, profiled.seconds)
    return table


def _add(table: Table, names: Mapping[str, str], seconds: Mapping[str, float], whole: float) -> None:
    for name, told in names.items():
        if (taken := seconds.get(name, 0.0)) >= SHOWN_SECONDS:
            table.add_row(told, f"{taken:.2f}", f"{taken / whole:.1%}".replace("%", " %"))
