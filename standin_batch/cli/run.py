"""`standin run`: execute what is not done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standin_batch.cli.options import (
    AsJson,
    Checkpoints,
    Force,
    InputRoot,
    Limit,
    ManifestArgument,
    Memory,
    MemoryProfile,
    Only,
    Overrides,
    Preview,
    Quiet,
)
from standin_batch.errors import ExitCode

if TYPE_CHECKING:
    from standin_batch.run.events import RunFinished
    from standin_batch.run.plan_manifest import Selection


def run(
    manifest: ManifestArgument,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    only: Only = [],  # noqa: B006
    limit: Limit = None,
    force: Force = False,
    preview: Preview = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop.")] = False,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")] = "auto",
    memory: MemoryProfile = Memory.AUTO,
    checkpoints: Checkpoints = None,
    input_root: InputRoot = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Make every video of a manifest that is not made yet.

    What is done is recognised by content: renaming files re-runs nothing, changing them re-runs what they decide.

    [bold]Examples[/bold]

      standin run manifests/quickstart.yaml
      standin run manifest.yaml --only portraits --limit 4
      standin run manifest.yaml --preview
      standin run manifest.yaml --set defaults.num_inference_steps=8 --device cuda:1
    """
    from standin_batch.run.plan_manifest import Selection

    selection = Selection(overrides, only, limit, force, preview, checkpoints, input_root)
    if dry_run:
        from standin_batch.cli.plan import show_plan

        return show_plan(manifest, selection, as_json)
    return _execute(manifest, selection, device, memory, as_json, quiet)


def _execute(path: Path, selection: Selection, device: str, memory: Memory, as_json: bool, quiet: bool) -> int:
    from standin_batch.backends.local import Machine, run_local, settle
    from standin_batch.cli.console import count, err, show_warnings, warn
    from standin_batch.cli.progress import reporter
    from standin_batch.environment import quick_findings
    from standin_batch.run.events import RunFinished
    from standin_batch.run.plan_manifest import plan_manifest

    planned = plan_manifest(path, selection)
    if not quiet:
        show_warnings(planned.manifest)
        for note in planned.notes:
            warn(note)
        for finding in quick_findings():
            warn(finding.message, finding.cure)
        if planned.repeats:
            err.print(f"{count(planned.repeats, 'combination')} repeat an earlier one: the same video is made once")
    report = reporter(as_json, quiet)
    if not planned.plan.to_run:
        settle(planned.store)
        folder = str(planned.store.layout.folder)
        if as_json:
            report(RunFinished(0, 0, 0, 0.0, False, folder))
        elif not quiet:
            err.print(f"nothing to do: {count(len(planned.plan.done), 'video')} made before, in {folder}")
        return ExitCode.OK
    machine = Machine(device, memory.value)
    with report.showing():
        finished = run_local(planned.plan, planned.store, planned.manifest.name, machine, selection.checkpoints, report)
    return _exit_code(finished)


def _exit_code(finished: RunFinished) -> ExitCode:
    if finished.stopped:
        return ExitCode.STOPPED
    return ExitCode.JOBS_FAILED if finished.failed else ExitCode.OK
