"""`standin weights list`: what weights are on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.options import AsJson, Checkpoints
from standin_batch.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from standin_batch.weights.inventory import Holding
    from standin_batch.weights.needs import Use

ROOT = Path("checkpoints")
MANIFESTS = (".yaml", ".yml")
COLOURS = {"here": "green", "missing": "dim", "incomplete": "yellow", "broken": "red"}


def list_weights(
    what: Annotated[
        str | None,
        typer.Argument(metavar="[ROW|MANIFEST]", help="Only what this model or manifest uses.", show_default=False),
    ] = None,
    checkpoints: Checkpoints = None,
    as_json: AsJson = False,
) -> int:
    """Show every set of weights: here, missing, incomplete or broken; where, how large, and which models use it.

    Headers are read and sizes compared with those of the download; the data are not read.

    [bold]Examples[/bold]

      standin weights list
      standin weights list wan2.1-t2v-14b
      standin weights list manifest.yaml --checkpoints /data/checkpoints --json
    """
    from standin_batch.cli.console import print_json
    from standin_batch.weights.inventory import take_stock

    holdings = take_stock(_uses(what), checkpoints)
    if what is None:
        holdings = tuple(held for held in holdings if _is_expected(held))
    if as_json:
        print_json([_json(held) for held in holdings])
    else:
        _print(holdings, checkpoints or ROOT)
    return ExitCode.OK


def _uses(what: str | None) -> Sequence[Use]:
    from standin_batch.run.manifest_uses import uses_named
    from standin_batch.weights.needs import whole
    from standin_batch.weights.registry import ROWS

    return [whole(each) for each in ROWS.values()] if what is None else uses_named(what)


def _is_expected(held: Holding) -> bool:
    """Whether a set belongs into the list of everything: no tiny model is looked for among somebody's 14B weights."""
    from standin_batch.weights.inventory import MADE_HERE, WITH_REPOSITORY, State

    return bool(held.needed) or held.source in (MADE_HERE, WITH_REPOSITORY) or held.state is State.HERE


def _json(held: Holding) -> dict[str, object]:
    return {
        "source": held.source,
        "what": held.what,
        "state": held.state.value,
        "used_by": list(held.used_by),
        "folder": str(held.folder),
        "pattern": held.pattern,
        "files": [str(path) for path in held.files],
        "absent": list(held.absent),
        "links": {str(path): str(path.resolve()) for path in held.links},
        "bytes": held.size,
        "bytes_needed": held.needed,
        "converted": {
            name: {"path": str(each.path), "exact": each.exact} for name, each in sorted(held.converted.items())
        },
        "faults": [{"path": str(each.path), "message": each.message, "cure": each.cure} for each in held.faults],
    }


def _print(holdings: Sequence[Holding], root: Path) -> None:
    from rich.text import Text

    from standin_batch.cli.console import err, out

    out.print(Text(f"weights in {root}", style="bold"))
    out.print(_table(holdings, root))
    for held in holdings:
        for fault in held.faults:
            out.print(Text.assemble(("✗ ", "bold red"), f"{fault.path} {fault.message}"))
            out.print(Text.assemble(("    cure: ", "bold green"), fault.cure))
    if any(held.state.value in ("missing", "incomplete") and held.needed for held in holdings):
        err.print("`standin weights download MODEL` fetches what is missing; --dry-run says how much that is")


def _table(holdings: Sequence[Holding], root: Path) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    from standin_batch.cli.console import size

    table = Table(box=SIMPLE, pad_edge=False, show_edge=False)
    for column in ("weights", "state", "on disk", "where", "used by"):
        table.add_column(column, justify="right" if column == "on disk" else "left", overflow="fold")
    for held in holdings:
        state = Text(held.state.value, style=COLOURS[held.state.value])
        if notes := _notes(held):
            state.append(f" ({notes})", style="dim")
        on_disk = size(held.size) if held.size else f"needs {size(held.needed)}" if held.needed else ""
        table.add_row(held.what, state, on_disk, _where(held, root), "\n".join(held.used_by))
    return table


def _where(held: Holding, root: Path) -> str:
    folder = (held.folder / held.pattern).parent
    return str(folder.relative_to(root) if folder.is_relative_to(root) else folder)


def _notes(held: Holding) -> str:
    from standin_batch.weights.inventory import MADE_HERE, WITH_REPOSITORY

    notes = [f"{len(held.absent)} of {len(held.absent) + len(held.files)} files missing"] if held.absent else []
    if held.source == MADE_HERE:
        notes.append("made here" if held.files else "made by the first run")
    if held.source == WITH_REPOSITORY:
        notes.append(WITH_REPOSITORY)
    if held.links:
        notes.append("linked")
    if held.converted:
        notes.append("converted" if held.files else "converted, originals gone")
    return ", ".join(notes)
