"""`standin plan`: what would run, why, and in which order."""

from __future__ import annotations

from collections import Counter
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
    from collections.abc import Iterator

    from rich.console import RenderableType
    from rich.table import Table

    from standin_batch.plan.estimate import Estimate, GroupEstimate
    from standin_batch.plan.makespan import Makespan
    from standin_batch.plan.plan import Plan, PlannedJob
    from standin_batch.run.plan_manifest import PlannedManifest, Selection

SHOWN_JOBS = 8
"""Jobs that the table shows one by one; `--json` shows all."""

SHOWN_SHARDS = 8
"""The same of shards."""

SHOWN_CHANGES = 3
"""Changes that are named, the most frequent first."""

UNKNOWN = "?"

SWITCHES = {
    "models": "model loads",
    "modules": "module loads",
    "loras": "LoRA changes",
    "speeds": "speed changes",
    "shapes": "size changes",
    "identities": "identities computed",
    "prompts": "prompts encoded",
}
"""What people call the switches."""


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


def plan_json(planned: PlannedManifest, workers: int | None = None) -> dict[str, object]:
    """The plan as data, as `docs/plan.md` describes it; with what so many workers take."""
    from dataclasses import asdict

    plan, estimate = planned.plan, planned.estimate()
    return {
        "manifest": planned.manifest.name,
        "folder": str(planned.store.layout.folder),
        "total": plan.total,
        "done": [job.job_id for job in plan.done],
        "failed_before": [job.job_id for job in plan.failed_before],
        "not_accepted": [job.job_id for job in plan.not_accepted],
        "repeats": planned.repeats,
        "notes": planned.notes,
        "estimate": {
            "device": asdict(estimate.device),
            "jobs": estimate.jobs,
            "frames": estimate.frames,
            "steps": estimate.steps,
            "flop": estimate.flop,
            "seconds": estimate.seconds,
            "once_seconds": estimate.once_seconds,
            "waiting_seconds": estimate.waiting_seconds,
            "leaves_out_compiling": estimate.leaves_out_compiling,
            "measured": estimate.measured,
            "further": estimate.further,
            "expected": estimate.expected,
            "further_seconds": estimate.further_seconds,
            "video_bytes": estimate.video_bytes,
            "memory_bytes": estimate.memory_bytes,
            "memory_bytes_in_turn": estimate.memory_bytes_in_turn,
            "fits": estimate.fits,
            "profile": estimate.profile.value,
            "peak_bytes": estimate.peak.most,
            "peaks": {profile.value: asdict(peak) for profile, peak in estimate.peaks.items()},
        },
        "switches": {**plan.switches._asdict(), "seconds": estimate.switch_seconds},
        "switches_in_manifest_order": {
            **plan.switches_in_manifest_order._asdict(),
            "seconds": estimate.switch_seconds_in_manifest_order,
        },
        "groups": [asdict(group) for group in estimate.groups],
        "workers": None if workers is None else _workers_json(planned.makespan(workers)),
        "jobs": [_job_json(item) for item in plan.to_run],
    }


def _workers_json(makespan: Makespan) -> dict[str, object]:
    return {
        "number": makespan.workers,
        "seconds": makespan.seconds,
        "preparing_seconds": makespan.preparing_seconds,
        "alone_seconds": makespan.alone_seconds,
        "speed_up": makespan.speed_up,
        "efficiency": makespan.efficiency,
        "shards": [{"jobs": shard.jobs, "seconds": shard.seconds, "loads": shard.models} for shard in makespan.shards],
    }


def _job_json(item: PlannedJob) -> dict[str, object]:
    return {
        "job_id": item.job.job_id,
        "name": item.job.name,
        "label": item.job.label,
        "speed": str(item.job.speed),
        "reason": item.reason.kind.value,
        "changes": item.reason.changes,
    }


def _print(planned: PlannedManifest, workers: int | None = None) -> None:
    from standin_batch.cli.console import out

    for part in drawn(planned, workers):
        out.print(part)


def drawn(planned: PlannedManifest, workers: int | None = None) -> Iterator[RenderableType]:
    """What is shown of a plan, from top to bottom; with what so many workers take."""
    from rich.text import Text

    from standin_batch.cli.console import count

    plan = planned.plan
    head = f"{planned.manifest.name}: {count(len(plan.to_run), 'job')} to run, {len(plan.done):,} done"
    yield Text(head, style="bold")
    if plan.failed_before:
        failed = (
            f"{len(plan.failed_before):,} failed before by their own content, and do not run; --retry-failed runs them"
        )
        yield Text(failed, style="red")
    if plan.not_accepted:
        missing = f"{len(plan.not_accepted):,} have no attempt left, and none of their clips was accepted"
        yield Text(missing, style="red")
    if not plan.to_run:
        yield Text(f"in {planned.store.layout.folder}")
        return
    estimate = planned.estimate()
    makespan = None if workers is None else planned.makespan(workers)
    yield _summary(planned, estimate, makespan)
    shared = () if makespan is None else (_shards(makespan),)
    for table in (_groups(estimate), *shared, _switches(plan, estimate), _jobs(plan)):
        yield ""
        yield table


def _summary(planned: PlannedManifest, estimate: Estimate, makespan: Makespan | None) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold cyan")
    table.add_column(overflow="fold")
    rows = {
        "into": str(planned.store.layout.folder),
        "why": _why(planned.plan),
        **({"attempts": _attempts(estimate)} if estimate.further else {}),
        "time": _time(estimate),
        **({} if makespan is None else {"workers": _workers(makespan)}),
        "video": _video(estimate),
        "memory": _memory(estimate),
    }
    for name, value in rows.items():
        table.add_row(name, Text(value))
    return table


def _why(plan: Plan) -> str:
    kinds = Counter(item.reason.kind.value for item in plan.to_run)
    changes = Counter(change for item in plan.to_run for change in item.reason.changes)
    lines = [", ".join(f"{number:,} {kind}" for kind, number in kinds.items())]
    lines += [f"  {number:,} x {change}" for change, number in changes.most_common(SHOWN_CHANGES)]
    if (more := len(changes) - SHOWN_CHANGES) > 0:
        lines.append(f"  … and {more:,} more changes")
    return "\n".join(lines)


def _attempts(estimate: Estimate) -> str:
    from standin_batch.cli.console import count, duration

    told = f"up to {count(estimate.further, 'more clip')} with other seeds, where clips are not accepted"
    if estimate.expected is not None:
        told += f"; about {estimate.expected:.0f}, as things went so far"
    if estimate.further_seconds is not None:
        told += f": {'' if estimate.expected is not None else 'up to '}{duration(estimate.further_seconds)} more"
    return told


def _time(estimate: Estimate) -> str:
    from standin_batch.cli.console import duration

    if estimate.seconds is not None:
        compiling = "; compiling is not in it" if estimate.leaves_out_compiling else ""
        return f"about {duration(estimate.seconds)} on {estimate.device.name}, as measured here{compiling}"
    unmeasured = dict.fromkeys(_name(group) for group in estimate.groups if group.seconds is None)
    return f"unknown: {estimate.device.name} has not run {', '.join(unmeasured)} yet"


def _workers(makespan: Makespan) -> str:
    from standin_batch.cli.console import count, duration

    idle = makespan.workers - len(makespan.shards)
    spare = f"; {idle:,} of them would not make it faster" if idle else ""
    told = count(makespan.workers, "worker")
    if makespan.seconds is None or makespan.speed_up is None or makespan.efficiency is None:
        return f"{told}: time unknown{spare}"
    faster = f"{makespan.speed_up:.3g} times as fast as one, an efficiency of {makespan.efficiency:.2f}"
    return f"{told}: about {duration(makespan.seconds)}, {faster}{spare}"


def _video(estimate: Estimate) -> str:
    from standin_batch.cli.console import count

    size = (
        "gigabytes unknown until one is done"
        if estimate.video_bytes is None
        else f"about {_scaled(estimate.video_bytes, 'B')}"
    )
    return f"{count(estimate.jobs, 'clip')}, {count(estimate.frames, 'frame')}, {size}"


def _memory(estimate: Estimate) -> str:
    from standin_batch.run.memory_told import memory_told

    if estimate.device.memory_bytes is None:
        return f"at least {_scaled(estimate.memory_bytes, 'B')} for weights and identity"
    return memory_told(estimate.peaks, estimate.device)


def _groups(estimate: Estimate) -> Table:
    right = ("jobs", "steps", "work", "time", "memory")
    table = _table("group", *right, right=right)
    for group in estimate.groups:
        table.add_row("\n  ".join([_name(group), *group.speeds]), *_takes(group))
    if len(estimate.groups) > 1:
        table.add_row("all, with switches", *_takes(estimate), style="bold")
    return table


def _shards(makespan: Makespan) -> Table:
    from standin_batch.cli.console import duration

    table = _table("shard", "loads", "jobs", "time", right=("jobs", "time"))
    for number, shard in enumerate(makespan.shards[:SHOWN_SHARDS], 1):
        time = UNKNOWN if shard.seconds is None else duration(shard.seconds)
        table.add_row(str(number), ", ".join(shard.models), f"{shard.jobs:,}", time)
    if (more := len(makespan.shards) - SHOWN_SHARDS) > 0:
        table.add_row(f"… and {more:,} more", "", "", "", style="dim")
    return table


def _takes(what: Estimate | GroupEstimate) -> tuple[str, ...]:
    from standin_batch.cli.console import duration

    time = UNKNOWN if what.seconds is None else duration(what.seconds)
    return f"{what.jobs:,}", f"{what.steps:,}", _scaled(what.flop, "FLOP"), time, _scaled(what.memory_bytes, "B")


def _switches(plan: Plan, estimate: Estimate) -> Table:
    from standin_batch.cli.console import duration

    table = _table("what changes hands", "planned", "as written", right=("planned", "as written"))
    written = plan.switches_in_manifest_order._asdict()
    for key, number in plan.switches._asdict().items():
        if number or written[key]:
            table.add_row(SWITCHES[key], f"{number:,}", f"{written[key]:,}")
    taken = "in all" if estimate.measured else "in all, at assumed speeds"
    seconds = (estimate.switch_seconds, estimate.switch_seconds_in_manifest_order)
    table.add_row(taken, *(f"about {duration(value)}" for value in seconds), style="bold")
    return table


def _jobs(plan: Plan) -> Table:
    table = _table("first jobs", "size", "why")
    for item in plan.to_run[:SHOWN_JOBS]:
        size = f"{item.job.width}x{item.job.height}x{item.job.num_frames}"
        table.add_row(item.job.label, size, str(item.reason))
    if (more := len(plan.to_run) - SHOWN_JOBS) > 0:
        table.add_row(f"… and {more:,} more", "", "", style="dim")
    return table


def _table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def _name(group: GroupEstimate) -> str:
    return f"{group.model} ({group.dtype})"


def _scaled(number: float, unit: str) -> str:
    """A quantity as people write it: 4.2 MB, 28.6 GB, 1,364 PFLOP."""
    for prefix in ("", "k", "M", "G", "T"):
        if number < 1000:
            return f"{number:.3g} {prefix}{unit}"
        number /= 1000
    return f"{number:,.3g} P{unit}" if number < 1000 else f"{number:,.0f} P{unit}"
