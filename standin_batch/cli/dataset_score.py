"""`standin dataset score`: scores of the videos of an output folder, anew or where they are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.options import AsJson, Checkpoints, Overrides
from standin_batch.cli.place import Target
from standin_batch.errors import ExitCode

if TYPE_CHECKING:
    from standin_batch.run.rescoring import Rescored, Rescoring


def score(
    target: Target,
    missing: Annotated[bool, typer.Option("--missing", help="Only videos that have no scores yet.")] = False,
    frames: Annotated[
        int | None, typer.Option("--frames", min=1, max=1000, help="Of each video; the manifest's unless said.")
    ] = None,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    checkpoints: Checkpoints = None,
    as_json: AsJson = False,
) -> int:
    """Look at the videos and write their scores into the records and the index: no GPU, no weights but the faces'.

    A run does that for each video that it makes. An output folder alone is taken with its manifest.lock.yaml, which
    names the photographs.

    [bold]Examples[/bold]

      standin dataset score outputs/quickstart
      standin dataset score manifest.yaml --missing --frames 32
    """
    from dataclasses import asdict

    from standin_batch.cli.console import count, err, print_json, warn
    from standin_batch.cli.progress import warn_of
    from standin_batch.errors import UsageError
    from standin_batch.output.index import write_index
    from standin_batch.run.folder_jobs import folder_jobs
    from standin_batch.run.log import log_to
    from standin_batch.run.posts import alone
    from standin_batch.run.ready import make_here
    from standin_batch.run.rescoring import Rescoring

    found = folder_jobs(target, overrides, checkpoints)
    layout = found.layout
    if not layout.folder.is_dir():
        raise UsageError(f"there is no output folder {layout.folder}", "`standin run` makes it")
    with alone(layout):
        log_to(layout.log)
        make_here({job.model for job in found.jobs if job.subject is not None}, checkpoints, warn_of)
        wanted = frames or found.manifest.scores.frames
        done = _with_bar(Rescoring(layout, found.jobs, wanted, checkpoints, warn_of), missing)
        write_index(layout)
    if as_json:
        print_json({"folder": str(layout.folder), **asdict(done)})
    else:
        left = f", {done.left:,} left as they were" if done.left else ""
        failed = f", {done.failed:,} could not be scored" if done.failed else ""
        err.print(f"{count(done.scored, 'video')} scored{left}{failed}, in {layout.folder}")
        if done.accepted != done.accepted_before:
            told = f"{done.accepted_before:,} clips were accepted before, and {done.accepted:,} are now"
            warn(told, "by what the manifest asks of these scores; `standin run` makes what is missing now")
    return ExitCode.JOBS_FAILED if done.failed else ExitCode.OK


def _with_bar(rescoring: Rescoring, missing: bool) -> Rescored:
    from rich.progress import Progress

    from standin_batch.cli.console import err

    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("scoring", total=None)
        return rescoring.run(missing, lambda done, total: bar.update(task, completed=done, total=total))
