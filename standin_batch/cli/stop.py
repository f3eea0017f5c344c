"""`standin stop`: ask the run that is at work in an output folder to stop, from another shell or another machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.place import Target, place

if TYPE_CHECKING:
    from standin_batch.locks.holder import Holder
    from standin_batch.output.layout import OutputLayout

LOOK = 0.5
"""Seconds between two looks whether the run has ended."""


def stop(
    target: Target,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the run has ended.")] = True,
) -> int:
    """Ask the run that is at work to save what it has and stop; run the same again to go on.

    A second `standin stop` asks it to stop at once. Ctrl-C leaves the request as it is.

    [bold]Examples[/bold]

      standin stop manifest.yaml
      standin stop outputs/quickstart --no-wait
    """
    from standin_batch.cli.console import err
    from standin_batch.output.layout import OutputLayout
    from standin_batch.run.stop_request import ask

    layout = OutputLayout(place(target)[0])
    found = ask(layout)
    if found is None:
        err.print(f"nobody is at work in {layout.folder}", markup=False)
        return 0
    whom, request = found
    manner = "at once" if request.now else "as soon as what it has is saved"
    err.print(f"{whom}, is asked to stop {manner}, in {layout.folder}", markup=False)
    if wait:
        _wait(layout, whom)
        err.print("it has ended")
    return 0


def _wait(layout: OutputLayout, whom: Holder) -> None:
    """Until `whom` does not hold the folder any more, however that came."""
    import time

    from standin_batch.locks.lock import holder
    from standin_batch.run.stop_request import asked, withdrawn

    while holder(layout.lock) == whom:
        time.sleep(LOOK)
    if asked(layout, whom) is not None:  # killed before it could
        withdrawn(layout)
