"""`standin plan`: what would run, why, and in which order."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from standin_batch.cli.options import AsJson, Checkpoints, Force, Limit, ManifestArgument, Only, Overrides

if TYPE_CHECKING:
    from rich.table import Table

    from standin_batch.plan.plan import Plan, Switches
    from standin_batch.run.plan_manifest import PlannedManifest, Selection

SHOWN_JOBS = 12
"""Jobs that the table shows one by one; `--json` shows all."""


def plan(
    manifest: ManifestArgument,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    only: Only = [],  # noqa: B006
    limit: Limit = None,
    force: Force = False,
    checkpoints: Checkpoints = None,
    as_json: AsJson = False,
) -> int:
    """Show what would run, why, and in which order. It creates nothing.

    [bold]Examples[/bold]

      standin plan manifest.yaml
      standin plan manifest.yaml --json | jq '.jobs[].reason'
    """
    from standin_batch.run.plan_manifest import Selection

    return show_plan(manifest, Selection(overrides, only, limit, force, checkpoints), as_json)


def show_plan(path: Path, selection: Selection, as_json: bool) -> int:
    """Print the plan of a manifest."""
    from standin_batch.cli.console import print_json, show_warnings
    from standin_batch.run.plan_manifest import plan_manifest

    planned = plan_manifest(path, selection)
    show_warnings(planned.manifest)
    if as_json:
        print_json(plan_json(planned))
    else:
        _print(planned)
    return 0


def plan_json(planned: PlannedManifest) -> dict[str, object]:
    """The plan as data: what runs in which order and why, and what is done."""
    from dataclasses import asdict

    from standin_batch.run.executor import label

    plan = planned.plan
    return {
        "manifest": planned.manifest.name,
        "folder": str(planned.store.layout.folder),
        "total": plan.total,
        "done": [job.job_id for job in plan.done],
        "repeats": planned.repeats,
        "switches": asdict(plan.switches),
        "switches_in_manifest_order": asdict(plan.switches_in_manifest_order),
        "groups": [{"model": group.model, "dtype": group.dtype, "jobs": len(group.jobs)} for group in plan.groups],
        "jobs": [
            {"job_id": item.job.job_id, "name": item.job.name, "label": label(item.job), "reason": item.reason.value}
            for item in plan.to_run
        ],
    }


def _print(planned: PlannedManifest) -> None:
    from rich.text import Text

    from standin_batch.cli.console import count, out

    plan = planned.plan
    head = f"{planned.manifest.name}: {count(len(plan.to_run), 'job')} to run, {len(plan.done)} done"
    out.print(Text(head, style="bold"))
    out.print(f"into {planned.store.layout.folder}")
    if not plan.to_run:
        return
    reasons = Counter(item.reason.value for item in plan.to_run)
    out.print("why:  " + ", ".join(f"{number:,} {reason}" for reason, number in reasons.items()))
    out.print()
    out.print(_groups(plan))
    out.print(_switches(plan.switches, plan.switches_in_manifest_order))
    out.print(_jobs(plan))


def _groups(plan: Plan) -> Table:
    table = _table("group", "jobs", "frames", "steps", right=("jobs", "frames", "steps"))
    for group in plan.groups:
        jobs = [item.job for item in group.jobs]
        frames = sum(job.num_frames for job in jobs)
        steps = sum(job.num_inference_steps for job in jobs)
        table.add_row(f"{group.model} ({group.dtype})", f"{len(jobs):,}", f"{frames:,}", f"{steps:,}")
    return table


def _switches(planned: Switches, written: Switches) -> Table:
    from dataclasses import asdict

    table = _table("what changes hands", "planned", "as written", right=("planned", "as written"))
    before = asdict(written)
    for name, number in asdict(planned).items():
        table.add_row(name, f"{number:,}", f"{before[name]:,}")
    return table


def _jobs(plan: Plan) -> Table:
    from standin_batch.run.executor import label

    table = _table("first jobs", "size", "why")
    for item in plan.to_run[:SHOWN_JOBS]:
        size = f"{item.job.width}x{item.job.height}x{item.job.num_frames}"
        table.add_row(label(item.job), size, item.reason.value)
    if (more := len(plan.to_run) - SHOWN_JOBS) > 0:
        table.add_row(f"… and {more:,} more", "", "", style="dim")
    return table


def _table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table
