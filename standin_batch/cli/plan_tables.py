"""What the tables of a plan have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

UNKNOWN = "?"


def table_of(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """A table with these columns, of which those in `right` are numbers."""
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table
