"""`standin dataset export`: chosen clips as a data set in a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.options import AsJson
from standin_batch.cli.place import Target
from standin_batch.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from standin_batch.output.export import Exported
    from standin_batch.output.selection import Selection


def _columns(wanted: bool) -> None:
    """Show the columns of the index, and leave."""
    if not wanted:
        return
    from rich.box import SIMPLE
    from rich.table import Table

    from standin_batch.cli.console import out
    from standin_batch.output.columns import COLUMNS, KINDS

    table = Table("column", "type", "what it says", box=SIMPLE, pad_edge=False)
    for column in COLUMNS:
        table.add_row(column.name, KINDS[column.kind], column.about)
    out.print(table)
    raise typer.Exit


def export(
    target: Target,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Folder of the data set.", show_default=False)
    ] = None,
    where: Annotated[
        str,
        typer.Option(
            metavar="CONDITION",
            help="Rows for which this is true: SQL, as after WHERE, over the columns of the index.",
            show_default=False,
        ),
    ] = "",
    split: Annotated[
        str,
        typer.Option(
            metavar="COLUMN:SHARES",
            help="Divide into train and validation ([cyan]identity:0.9[/]), or also test "
            "([cyan]identity:0.8,0.1,0.1[/]). Rows with the same value, or the same person, stay together.",
            show_default=False,
        ),
    ] = "",
    captions: Annotated[
        bool, typer.Option("--captions", help="The prompt of each video as a text file beside it, for trainers.")
    ] = False,
    references: Annotated[
        bool, typer.Option("--references", help="The pictures of the identities, as the model saw them.")
    ] = False,
    copy: Annotated[bool, typer.Option("--copy", help="Copy videos where they could be linked.")] = False,
    take_all: Annotated[bool, typer.Option("--all", help="Rejected clips too.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a data set that was exported to DIR before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and write nothing.")] = False,
    columns: Annotated[
        bool, typer.Option("--columns", help="Show the columns of the index.", callback=_columns, is_eager=True)
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Make a data set of an output folder's clips, for datasets.load_dataset and for trainers.

    Takes all clips but those that their jobs have rejected. Videos are linked where the file system allows, so they
    take no room; the output folder stays as it is.

    [bold]Examples[/bold]

      standin dataset export outputs/portraits --to sets/portraits --split identity:0.9 --captions

      standin dataset export manifest.yaml --to sets/good --where "face_similarity >= 0.6 AND near_duplicate_of IS NULL"
    """
    from standin_batch.cli.place import output_of
    from standin_batch.output.export import ExportOptions
    from standin_batch.output.export import export as write
    from standin_batch.output.selection import Wish, select
    from standin_batch.output.split import parse_split
    from standin_batch.run.subject_files import subject_file

    if to is None and not dry_run:
        raise UsageError("there is no folder to export to", "name one with --to DIR, or only count with --dry-run")
    wish = Wish(where, parse_split(split) if split else None, take_all)
    layout = output_of(target)
    selection = select(layout, wish)
    exported = None
    if to is not None and not dry_run:
        options = ExportOptions(
            captions=captions,
            reference_of=(lambda row: subject_file(layout, row)) if references else None,
            copy=copy,
            force=force,
        )
        exported = write(selection, to, options)
    _show(selection, exported, as_json)
    return ExitCode.OK


def _show(selection: Selection, exported: Exported | None, as_json: bool) -> None:
    from standin_batch.cli.console import out, print_json

    if as_json:
        print_json(_json(selection, exported))
    else:
        out.print(_table(selection))
        _tell(selection, exported)


def _json(selection: Selection, exported: Exported | None) -> dict[str, object]:
    from dataclasses import asdict

    splits = {
        name or "train": {"rows": table.num_rows, "identities": selection.identities[name]}
        for name, table in selection.splits.items()
    }
    told = {"folder": None} if exported is None else {**asdict(exported), "folder": str(exported.folder)}
    return {"from": str(selection.layout.folder), "rows": selection.rows, "splits": splits, **told}


def _table(selection: Selection) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False)
    for column in ("split", "rows", "share", "people"):
        table.add_column(column, justify="left" if column == "split" else "right")
    for name, rows in selection.splits.items():
        share = f"{rows.num_rows / selection.rows:.1%}"
        table.add_row(name or "train", f"{rows.num_rows:,}", share, f"{selection.identities[name]:,}")
    return table


def _tell(selection: Selection, exported: Exported | None) -> None:
    from standin_batch.cli.console import count, err, warn
    from standin_batch.output.split import PEOPLE

    wish = selection.wish.split
    if wish is not None and wish.column in PEOPLE and selection.unknown:
        known = f"of {count(selection.unknown, 'photograph')} it is not known whether another shows the same person"
        warn(known, "standin validate MANIFEST --faces looks at them")
    if exported is None:
        err.print(f"{count(selection.rows, 'row')}; nothing was written")
        return
    if exported.only_in_index:
        warn(
            f"not in metadata.jsonl, only in index.parquet: {', '.join(exported.only_in_index)}",
            "`datasets` needs the same types in each split, and not every split has a value there",
        )
    if exported.without_reference:
        warn(
            f"{count(exported.without_reference, 'row')} without the picture of the identity",
            "it is kept in .standin/subjects of the output folder, and comes back when a clip of it is made",
        )
    how = " and ".join(
        f"{number:,} {word}" for number, word in ((exported.linked, "linked"), (exported.copied, "copied")) if number
    )
    pictures = f", {count(exported.references, 'picture')}" if exported.references else ""
    err.print(f"{count(selection.rows, 'video')} ({how}){pictures} in {exported.folder}")
