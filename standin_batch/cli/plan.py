"""`standin plan`: what would run, why, and in which order."""

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
    Only,
    Overrides,
    Preview,
    RetryFailed,
)

if TYPE_CHECKING:
    from standin_batch.run.plan_manifest import PlannedManifest, Selection


def plan(
    manifest: ManifestArgument,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    only: Only = [],  # noqa: B006
    limit: Limit = None,
    force: Force = False,
    retry_failed: RetryFailed = False,
    preview: Preview = False,
    checkpoints: Checkpoints = None,
    input_root: InputRoot = None,
    gpu: Annotated[
        int | None,
        typer.Option(
            "--gpu", metavar="GB", min=1, help="Say what it takes on a GPU with so much memory.", show_default=False
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", metavar="N", min=1, help="Say what it takes with N such machines or GPUs.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Show what would run, why, in which order, and what it takes. It creates nothing.

    [bold]Examples[/bold]

      standin plan manifest.yaml
      standin plan manifest.yaml --gpu 24
      standin plan manifest.yaml --workers 8
      standin plan manifest.yaml --json | jq '.jobs[].reason'
    """
    from standin_batch.run.plan_manifest import Selection

    selection = Selection(overrides, only, limit, force, retry_failed, preview, checkpoints, input_root)
    return show_plan(manifest, selection, as_json, gpu, workers)


def show_plan(
    path: Path, selection: Selection, as_json: bool, gpu: int | None = None, workers: int | None = None
) -> int:
    """Print the plan of a manifest: for this machine, or for a GPU with so many gigabytes; and for several of them."""
    from standin_batch.cli.console import print_json, show_warnings, warn
    from standin_batch.cli.plan_json import plan_json
    from standin_batch.run.plan_manifest import plan_manifest

    planned = on_device(plan_manifest(path, selection), gpu, workers)
    show_warnings(planned.manifest)
    for note in planned.notes:
        warn(note)
    if as_json:
        print_json(plan_json(planned, workers))
    else:
        _print(planned, workers)
    return 0


def on_device(planned: PlannedManifest, gpu: int | None, workers: int | None) -> PlannedManifest:
    """The plan for a GPU with so many gigabytes; or for workers, which are taken to have a GPU if any is known."""
    from standin_batch.plan.estimate import Device
    from standin_batch.run.measured import likely_worker

    if gpu is not None:
        return planned.on(Device.imagined(gpu))
    return planned if workers is None else planned.on(likely_worker(planned.device))


def _print(planned: PlannedManifest, workers: int | None = None) -> None:
    from standin_batch.cli.console import out
    from standin_batch.cli.plan_drawn import drawn

    for part in drawn(planned, workers):
        out.print(part)
