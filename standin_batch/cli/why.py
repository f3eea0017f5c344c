"""`standin why`: where one job stands, why, and what becomes of it next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from standin_batch.cli.options import AsJson, Checkpoints
from standin_batch.cli.place import Target, place
from standin_batch.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from rich.text import Text

    from standin_batch.output.layout import OutputLayout
    from standin_batch.run.log import Line
    from standin_batch.run.which_job import Candidates
    from standin_batch.run.why import Attempt, Why

    Part: TypeAlias = str | tuple[str, str]

SHOWN_MATCHES = 20
SHOWN_TRACE = 8
"""Lines of the last traceback; `--log` shows all."""

COLOURS = {
    "COMPLETED": "green",
    "RUNNING": "cyan",
    "REQUEUED": "cyan",
    "FAILED": "red",
    "CANCELLED": "yellow",
}
"""Of the states."""

LEVELS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
"""Colours of what the log says."""


def why(
    target: Target,
    job: Annotated[
        list[str],
        typer.Argument(metavar="JOB", help="An id, the beginning of one, or words of the label.", show_default=False),
    ],
    log: Annotated[bool, typer.Option("--log", help="Show all that the log says of it.")] = False,
    checkpoints: Checkpoints = None,
    as_json: AsJson = False,
) -> int:
    """Show where one job stands, why, and what becomes of it next.

    With a manifest it also knows jobs that no run has come to yet. Where several jobs are meant, it lists them.

    [bold]Examples[/bold]

      standin why manifest.yaml portraits ada desk seed 0
      standin why outputs/quickstart 3f0c
      standin why outputs/quickstart 3f0c --json | jq .attempts
    """
    from standin_batch.output.layout import OutputLayout
    from standin_batch.run.job_facts import read_facts
    from standin_batch.run.which_job import matching
    from standin_batch.run.why import explain

    folder, total = place(target)
    layout, wanted = OutputLayout(folder), " ".join(job)
    jobs = _candidates(layout, wanted, None if total is None else target, checkpoints)
    found = matching(wanted, jobs)
    if len(found) > 1:
        _print_matches(found, jobs.labels, wanted, as_json)
        return ExitCode.USAGE
    told = explain(read_facts(layout, found[0], jobs.labels[found[0]], jobs.reasons.get(found[0])))
    _print(told, layout, log, as_json)
    return ExitCode.OK


def _candidates(layout: OutputLayout, wanted: str, manifest: Path | None, checkpoints: Path | None) -> Candidates:
    """The jobs that may be meant. A plan is made only where the folder does not know the job by its id."""
    from standin_batch.output.store import owned_ids
    from standin_batch.run.job_facts import read_labels
    from standin_batch.run.plan_manifest import Selection, plan_manifest
    from standin_batch.run.which_job import Candidates

    known, owned = read_labels(layout), owned_ids(layout)
    if manifest is None or known.get(wanted):
        return Candidates(known, owned or ())
    return Candidates.of_plan(
        known, plan_manifest(manifest, Selection(retry_failed=True, checkpoints=checkpoints)).plan
    )


def _print_matches(found: Sequence[str], labels: Mapping[str, str], wanted: str, as_json: bool) -> None:
    from standin_batch.cli.console import err, print_json

    if as_json:
        print_json({"matches": [{"job_id": job_id, "label": labels[job_id]} for job_id in found]})
        return
    err.print(_text((f"{len(found):,} jobs answer to {wanted!r}: say more of one, or its id", "bold")))
    for job_id in found[:SHOWN_MATCHES]:
        err.print(_text(f"  {job_id}  {labels[job_id]}"))
    if (more := len(found) - SHOWN_MATCHES) > 0:
        err.print(_text((f"  … and {more:,} more", "dim")))


def _print(told: Why, layout: OutputLayout, whole_log: bool, as_json: bool) -> None:
    from dataclasses import asdict

    from standin_batch.cli.console import out, print_json

    if as_json:
        print_json(asdict(told))
        return
    out.print(_text((told.label or told.job_id, "bold")))
    for line in (*_summary(told, layout), *(_whole_log(told.log) if whole_log else _last_trace(told))):
        out.print(line)


def _summary(told: Why, layout: OutputLayout) -> Iterator[Text]:
    """A line each: paths and messages stay whole, so that they can be copied."""
    from standin_batch.cli.console import duration

    since = "" if told.at is None else f"  {_time(told.at)}"
    yield _row("id", told.job_id)
    yield _row("state", (told.state, COLOURS.get(told.state, "")), since)
    rows = {
        "why": told.told,
        "error": _error(told),
        "cure": told.cure,
        "video": "" if told.video is None else str(layout.folder / told.video),
        "took": ", ".join(f"{phase} {duration(seconds)}" for phase, seconds in told.seconds.items()),
    }
    yield from (_row(name, value) for name, value in rows.items() if value)
    for number, attempt in enumerate(told.attempts, start=1):
        yield _row("tried" if number == 1 else "", *_attempt(attempt))


def _attempt(attempt: Attempt) -> Iterator[Part]:
    from standin_batch.cli.console import duration

    yield f"{_time(attempt.at)}  "
    yield attempt.state, COLOURS.get(attempt.state, "")
    yield "" if attempt.seconds is None else f" after {duration(attempt.seconds)}"
    yield f" by worker {attempt.worker}" if attempt.worker else ""
    yield f"  {_error(attempt)}".rstrip()


def _error(failed: Why | Attempt) -> str:
    return f"{failed.kind}: {failed.error}" if failed.kind else failed.error


def _last_trace(told: Why) -> Iterator[Text]:
    """The end of the last traceback; of a job that is done, or whose own content is at fault, nobody asks for it."""
    from standin_batch.run.failure import is_lasting

    last = next((line for line in reversed(told.log) if line.traceback), None)
    if last is None or told.video is not None or is_lasting(told.kind):
        return
    trace = last.traceback.splitlines()
    yield _text("")
    yield _text((last.message, "bold"))
    if (more := len(trace) - SHOWN_TRACE) > 0:
        yield _text((f"  … {more:,} lines before: --log", "dim"))
    yield from (_text(f"  {line}") for line in trace[-SHOWN_TRACE:])


def _whole_log(log: Sequence[Line]) -> Iterator[Text]:
    yield _text("" if log else ("the log says nothing of it", "dim"))
    for line in log:
        said = f"{line.time}  {line.level:<7} {line.logger}: {line.message}"
        yield _text((said, LEVELS.get(line.level, "")), f"\n{line.traceback}" if line.traceback else "")


def _row(name: str, *parts: Part) -> Text:
    return _text((f"  {name:<6} ", "bold cyan"), *parts)


def _text(*parts: Part) -> Text:
    """Text of files, without what would steer the terminal."""
    from rich.text import Text

    from standin_batch.cli.console import printable

    pairs = ((part, "") if isinstance(part, str) else part for part in parts)
    return Text.assemble(*((printable(text), style) for text, style in pairs))


def _time(at: float) -> str:
    """A time of day here, as people write it."""
    from datetime import datetime

    return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M:%S}"
