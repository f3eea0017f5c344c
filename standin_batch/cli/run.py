"""`standin run`: execute what is not done."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.ending import End, ended, exit_code
from standin_batch.cli.options import (
    AsJson,
    Checkpoints,
    Config,
    Force,
    InputRoot,
    Limit,
    ManifestArgument,
    Memory,
    MemoryProfile,
    OnBackend,
    Only,
    Overrides,
    Preview,
    Quiet,
    RetryFailed,
    Workers,
)
from standin_batch.errors import ExitCode
from standin_batch.stopwatch import Stopwatch, part, process_seconds

if TYPE_CHECKING:
    from standin_batch.backends.choose import Backend
    from standin_batch.backends.local import Machine
    from standin_batch.run.plan_manifest import PlannedManifest, Selection
    from standin_batch.run.stopping import Stop

_LASTS = "When it runs"
_ENDS = "When it ends"

SHOWN_NOT_ACCEPTED = 5
"""Jobs without an accepted clip that are named one by one."""


def run(
    manifest: ManifestArgument,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    only: Only = [],  # noqa: B006
    limit: Limit = None,
    force: Force = False,
    retry_failed: RetryFailed = False,
    preview: Preview = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop.")] = False,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")] = "auto",
    memory: MemoryProfile = Memory.AUTO,
    checkpoints: Checkpoints = None,
    input_root: InputRoot = None,
    backend: OnBackend = None,
    config: Config = None,
    workers: Workers = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for another run that holds the output.", rich_help_panel=_LASTS)
    ] = False,
    deadline: Annotated[
        str | None,
        typer.Option(
            "--deadline", metavar="TIME", help="Stop before it: 06:00, or 2026-01-31T06:00.", rich_help_panel=_LASTS
        ),
    ] = None,
    max_time: Annotated[
        str | None,
        typer.Option("--max-time", metavar="LENGTH", help="Stop after it: 6h, 90min.", rich_help_panel=_LASTS),
    ] = None,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop when a job has failed.", rich_help_panel=_ENDS)
    ] = False,
    max_failures: Annotated[
        int | None,
        typer.Option("--max-failures", min=1, help="Stop when so many jobs have failed.", rich_help_panel=_ENDS),
    ] = None,
    on_finish: Annotated[
        str | None,
        typer.Option(
            "--on-finish",
            metavar="COMMAND",
            help="A shell command for when the run has ended, however it did; $STANDIN_OUTCOME says how.",
            rich_help_panel=_ENDS,
        ),
    ] = None,
    allow_commands: Annotated[
        bool,
        typer.Option("--allow-commands", help="Obey the manifest's own `run.on_finish`.", rich_help_panel=_ENDS),
    ] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Show where the time went.", rich_help_panel=_ENDS)
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Make every video of a manifest that is not made yet.

    What is done is recognised by content: renaming files re-runs nothing, changing them re-runs what they decide.
    Ctrl-C saves the clip at work and leaves with 75; the same command goes on inside of it.

    [bold]Examples[/bold]

      standin run manifests/quickstart.yaml
      standin run manifest.yaml --only portraits --limit 4
      standin run manifest.yaml --preview
      standin run manifest.yaml --deadline 06:00 --on-finish 'mail -s "$STANDIN_OUTCOME" me < /dev/null'
      standin run manifest.yaml --set defaults.num_inference_steps=8 --device cuda:1
      standin run manifest.yaml --backend ray --device cpu --workers 2
      standin run manifest.yaml --backend slurm --config cluster.toml
    """
    from standin_batch.run.plan_manifest import Selection

    selection = Selection(overrides, only, limit, force, retry_failed, preview, checkpoints, input_root)
    if dry_run:
        from standin_batch.cli.plan import show_plan

        return show_plan(manifest, selection, as_json)
    from standin_batch.backends.choose import choose
    from standin_batch.backends.local import Machine
    from standin_batch.cli.progress import reporter
    from standin_batch.run.stopping import listening

    report = reporter(as_json, quiet, profile)
    machine = Machine(device, memory.value, 1 if fail_fast else max_failures, wait)
    with (
        Stopwatch(process_seconds()).running(),
        ended(End(manifest, report, on_finish, allow_commands)) as end,
    ):
        where = choose(None if backend is None else backend.value, config, workers)
        stop = _stop(deadline, max_time)
        with listening(stop):
            return _execute(manifest, selection, where, machine, stop, end, as_json=as_json, quiet=quiet)


def _stop(deadline: str | None, max_time: str | None) -> Stop:
    import time
    from datetime import datetime

    from standin_batch.run.deadline import seconds_until
    from standin_batch.run.stopping import Stop

    seconds = seconds_until(deadline, max_time, datetime.now().astimezone())
    return Stop(None if seconds is None else time.monotonic() + seconds)


def _execute(
    path: Path,
    selection: Selection,
    where: Backend,
    machine: Machine,
    stop: Stop,
    end: End,
    *,
    as_json: bool,
    quiet: bool,
) -> ExitCode:
    from standin_batch.backends.folder import settle
    from standin_batch.run.plan_manifest import plan_manifest
    from standin_batch.run.profile import PLAN

    with stop.at_once(), part(PLAN):
        planned = plan_manifest(path, selection)
    end.planned = planned
    with part(PLAN):
        say(planned, quiet)
    end.say()
    if planned.plan.to_run or planned.unscored:
        with end.report.showing():
            return exit_code(where.run(planned, machine, selection.checkpoints, end, stop))
    end.finished = settle(planned, end)
    if as_json:
        end.report(end.finished)
    elif not quiet:
        from standin_batch.cli.console import count, err

        made = count(len(planned.plan.done), "video")
        err.print(f"nothing to do: {made} made before, in {end.finished.folder}")
    return exit_code(end.finished)


def say(planned: PlannedManifest, quiet: bool) -> None:
    """What the user should know before anything runs; the least of it in any case."""
    from standin_batch.cli.console import count, err, show_warnings, warn
    from standin_batch.environment import quick_findings

    if not quiet:
        show_warnings(planned.manifest)
        for note in planned.notes:
            warn(note)
        for finding in quick_findings():
            warn(finding.message, finding.cure)
        if planned.repeats:
            repeat = "repeats" if planned.repeats == 1 else "repeat"
            told = f"{count(planned.repeats, 'combination')} {repeat} an earlier one: the same video is made once"
            err.print(told)
    folder = shlex.quote(str(planned.store.layout.folder))
    if failed := len(planned.plan.failed_before):
        told = f"left out: {count(failed, 'job')} that failed before for a reason that lies in the job itself"
        warn(told, f"standin status {folder} names what failed; --retry-failed tries it all the same")
    for judged in planned.standing.not_accepted[:SHOWN_NOT_ACCEPTED]:
        warn(f"{judged.job.label}: {judged.error.message}", judged.error.hint)
    if (more := len(planned.standing.not_accepted) - SHOWN_NOT_ACCEPTED) > 0:
        warn(f"and {count(more, 'more job')} without an accepted clip", f"standin dataset report {folder}")
