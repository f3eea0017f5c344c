"""`standin dataset gallery`: the page that shows the videos, anew from the records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.options import AsJson
from standin_batch.cli.place import Target
from standin_batch.errors import ExitCode

if TYPE_CHECKING:
    from standin_batch.output.layout import OutputLayout

UNREADABLE_SHOWN = 5
"""Jobs whose video cannot be read that are named."""


def gallery(
    target: Target,
    opened: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    as_json: AsJson = False,
) -> int:
    """Write gallery.html anew: one page that shows all videos and needs no network.

    A run does that while it is at work and at its end; this is for folders whose records or videos were moved or
    removed since. Posters that are missing are made.

    [bold]Examples[/bold]

      standin dataset gallery outputs/quickstart --open
      standin dataset gallery manifest.yaml --json
    """
    from standin_batch.cli.console import count, err, out, print_json
    from standin_batch.cli.place import output_of, place
    from standin_batch.run.failed_jobs import failed_jobs
    from standin_batch.run.showing import Showing
    from standin_batch.run.status import read_status

    layout = output_of(target)
    made = _posters(layout)
    status = read_status(layout.folder, place(target)[1])
    failures = failed_jobs(layout)
    rows = Showing(layout, status.total).write(running=status.active)
    page = layout.gallery.resolve()
    if as_json:
        told = {"rows": rows, "failed": len(failures), "posters": made}
        print_json({"folder": str(layout.folder), "gallery": str(page), **told})
    else:
        err.print(f"{count(rows, 'video')}, {count(len(failures), 'failed job')}, in")
        out.print(page.as_uri() if out.is_terminal else str(page), markup=False)
    if opened:
        _show(page)
    return ExitCode.OK


def _posters(layout: OutputLayout) -> int:
    """Make the posters that are missing, saying so; returns how many were made."""
    from standin_batch.cli.console import count, err, warn
    from standin_batch.output.poster import make_posters
    from standin_batch.output.store import read_records

    with err.status("looking for missing posters") as note:
        made, unreadable = make_posters(
            layout, read_records(layout), lambda number: note.update(f"{count(number, 'poster')} made")
        )
    if unreadable:
        more = "" if len(unreadable) <= UNREADABLE_SHOWN else ", …"
        named = ", ".join(unreadable[:UNREADABLE_SHOWN]) + more
        warn(
            f"{count(len(unreadable), 'video')} cannot be read, and has no poster: {named}",
            "delete the file and run again: what has no video is made anew",
        )
    return made


def _show(page: Path) -> None:
    import webbrowser

    from standin_batch.cli.console import warn

    if not webbrowser.open(page.as_uri()):
        warn("there is no browser to show it in", "open the file on a machine that has one")
