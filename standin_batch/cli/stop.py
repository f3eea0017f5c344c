"""`standin stop`: ask the run that is at work in an output folder to stop, from another shell or another machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.place import Target, place

if TYPE_CHECKING:
    from standin_batch.locks.holder import Holder
    from standin_batch.output.layout import OutputLayout
    from standin_batch.run.stop_request import Place

LOOK = 0.5
"""Seconds between two looks whether the run has ended."""


def stop(
    target: Target,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the run has ended.")] = True,
) -> int:
    """Ask the run that is at work to save what it has and stop; run the same again to go on.

    A second `standin stop` asks it to stop at once. Ctrl-C leaves the request as it is. Where a run's workers go on
    without it, as it was killed, all of them are asked, and an array of Slurm that is still to begin.

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
        return _stop_workers(layout, wait)
    whom, request = found
    err.print(f"{whom}, is asked to stop {_manner(request.now)}, in {layout.folder}", markup=False)
    if wait:
        _wait(layout, whom)
        err.print("it has ended")
    return 0


def _stop_workers(layout: OutputLayout, wait: bool) -> int:
    """Ask all workers whose driver is gone."""
    from standin_batch.cli.console import err
    from standin_batch.run.arrays import ask_array
    from standin_batch.run.posts import at_work, listed
    from standin_batch.run.stop_request import ask

    if (array := ask_array(layout)) is not None:  # before posts are looked at, as its tasks begin at any time
        err.print(f"{array} is asked to stop, and begins nothing any more, in {layout.folder}", markup=False)
    posts = at_work(layout)
    found = [(layout.worker(post.name), asked) for post in posts if (asked := ask(layout.worker(post.name)))]
    if not found and array is not None:
        return 0
    if not found:
        err.print(f"nobody is at work in {layout.folder}", markup=False)
        return 0
    at_once = all(request.now for _, (_, request) in found)
    verb = "is" if len(found) == 1 else "are"
    err.print(f"{listed(posts)}, {verb} asked to stop {_manner(at_once)}, in {layout.folder}", markup=False)
    if wait:
        for place, (whom, _) in found:
            _wait(place, whom)
        err.print("it has ended" if len(found) == 1 else "they have ended")
    return 0


def _manner(now: bool) -> str:
    return "at once" if now else "as soon as what it has is saved"


def _wait(place: Place, whom: Holder) -> None:
    """Until `whom` does not hold the place any more, however that came."""
    import time

    from standin_batch.locks.lock import holder
    from standin_batch.run.stop_request import asked, withdrawn

    while holder(place.lock) == whom:
        time.sleep(LOOK)
    if asked(place, whom) is not None:  # killed before it could
        withdrawn(place)
