"""`standin status`: where a run stands, from records and journals alone."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.options import AsJson
from standin_batch.cli.place import Target, place

if TYPE_CHECKING:
    from rich.console import Group
    from rich.text import Text

    from standin_batch.run.status import JobStatus, Status
    from standin_batch.run.worker_status import WorkerStatus

SHOWN = 10
"""Jobs of a state, and workers, that are named."""
BAR_WIDTH = 40

STATES = {
    "COMPLETED": "green",
    "RUNNING": "cyan",
    "REQUEUED": "yellow",
    "PENDING": "default",
    "FAILED": "red",
    "CANCELLED": "yellow",
}
"""The order in which states are shown, and their colours where there are any jobs in them."""


RARE = "REQUEUED"
"""A state that is shown only when a job is in it."""


def status(
    target: Target,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it again and again, until the run ends.")] = False,
    interval: Annotated[
        float, typer.Option("--interval", min=0.1, metavar="SECONDS", help="Between two looks of --watch.")
    ] = 1.0,
    as_json: AsJson = False,
) -> int:
    """Show where a run stands, while it runs or after.

    `--watch` ends with the run, or with Ctrl-C, which does not touch the run.

    [bold]Examples[/bold]

      standin status manifest.yaml
      standin status manifest.yaml --watch
      standin status outputs/quickstart --json | jq .counts
    """
    from standin_batch.run.status import read_status

    folder, total = place(target)
    if not watch:
        _print(read_status(folder, total), as_json)
        return 0
    try:
        _watch(folder, total, interval, as_json)
    except KeyboardInterrupt:  # the way to leave, and no mistake
        return 0
    return 0


def _watch(folder: Path, total: int | None, interval: float, as_json: bool) -> None:
    from standin_batch.cli.console import out

    if as_json or not out.is_terminal:
        shown: Status | None = None
        for found in _looks(folder, total, interval):
            if shown is None or (found.counts, found.active) != (shown.counts, shown.active):
                _print(found, as_json)
                shown = found
        return
    from rich.live import Live

    with Live(console=out, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
        for found in _looks(folder, total, interval):
            live.update(_drawn(found, cut=True), refresh=True)


def _looks(folder: Path, total: int | None, interval: float) -> Iterator[Status]:
    """One look after the other, until no run is at work."""
    import time

    from standin_batch.run.status import read_status

    while True:
        found = read_status(folder, total)
        yield found
        if not found.active:
            return
        time.sleep(interval)


def _print(found: Status, as_json: bool) -> None:
    from dataclasses import asdict

    from standin_batch.cli.console import out, print_json

    if as_json:
        print_json(asdict(found))
    else:
        out.print(_drawn(found))


def _drawn(found: Status, cut: bool = False) -> Group:
    """The whole picture; `cut` keeps each line to one of the screen."""
    from rich.console import Group
    from rich.text import Text

    lines: list[Text] = [_head(found)]
    if found.total:
        lines.append(_bar(found.counts["COMPLETED"], found.total))
    for state, colour in STATES.items():
        if found.counts.get(state, 0) or (state in found.counts and state != RARE):
            number = found.counts[state]
            lines.append(Text(f"  {state:<10} {number:>8,}", style=colour if number else "dim"))
    if found.other:
        note = f"  and {found.other:,} records of jobs that the manifest does not have; `standin dataset gc` lists them"
        lines.append(Text(note, style="dim"))
    lines += [_worker(worker) for worker in found.workers[:SHOWN]]
    lines += _more(len(found.workers), "workers")
    lines += [_running(job) for job in found.running if not job.worker]
    lines += [_cut_off(job) for job in found.cancelled[:SHOWN]]
    lines += _more(len(found.cancelled), "stopped")
    lines += [_failed(job) for job in found.failed[:SHOWN]]
    lines += _more(len(found.failed), "failed")
    if found.failed:
        lines.append(Text(f"  standin why {shlex.quote(found.folder)} JOB tells more of one", style="dim"))
    for line in lines if cut else ():
        line.no_wrap, line.overflow = True, "ellipsis"
    return Group(*lines)


def _head(found: Status) -> Text:
    from rich.text import Text

    from standin_batch.cli.console import duration

    head = Text(found.folder, style="bold")
    if not found.active or found.seconds is None:
        return head.append("  no run at work", style="dim")
    head.append(f"  running for {duration(found.seconds)}", style="cyan")
    return head if found.seconds_left is None else head.append(f", about {duration(found.seconds_left)} left")


def _bar(done: int, total: int) -> Text:
    from rich.text import Text

    full = BAR_WIDTH * done // total
    percent = 100 * done // total
    return Text.assemble(
        "  ", ("━" * full, "green"), ("━" * (BAR_WIDTH - full), "dim"), f" {done:,}/{total:,} · {percent} %"
    )


def _worker(worker: WorkerStatus) -> Text:
    """A worker, and what it is at. Jobs that a worker has at work stand here, and nowhere else."""
    import time

    from rich.text import Text

    from standin_batch.cli.console import count, duration, printable

    where = " ".join(filter(None, (worker.host, worker.device)))
    made = f"{count(worker.completed, 'clip')} in {duration(max(0.0, time.time() - worker.since))}"
    saved = "" if worker.step is None else f", saved at step {worker.step} of {worker.steps}"
    doing = printable(worker.label) if worker.label else "no clip at work"
    return Text.assemble(
        ("● ", "bold cyan"), (printable(worker.name), "bold"), f"  {doing}", (f"  {made}{saved}  {where}", "dim")
    )


def _running(job: JobStatus) -> Text:
    import time

    from rich.text import Text

    from standin_batch.cli.console import duration, printable

    since = duration(max(0.0, time.time() - job.at))
    saved = "" if job.step is None else f", saved at step {job.step} of {job.steps}"
    return Text.assemble(("● ", "bold cyan"), printable(job.label), (f"  {since}{saved}", "dim"))


def _cut_off(job: JobStatus) -> Text:
    from rich.text import Text

    from standin_batch.cli.console import printable

    goes_on = "begins it anew" if job.step is None else f"goes on from step {job.step} of {job.steps}"
    told = f"stopped; the next run {goes_on}"
    return Text.assemble(("■ ", "bold yellow"), f"{printable(job.label)}  ", (told, "yellow"))


def _more(number: int, what: str) -> list[Text]:
    from rich.text import Text

    return [Text(f"… and {number - SHOWN:,} more {what}", style="dim")] if number > SHOWN else []


def _failed(job: JobStatus) -> Text:
    from rich.text import Text

    from standin_batch.cli.console import printable

    return Text.assemble(("✗ ", "bold red"), f"{printable(job.label)}  ", (printable(job.error), "red"))
