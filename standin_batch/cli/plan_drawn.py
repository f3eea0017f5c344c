"""What `standin plan` shows of a plan: a summary, and tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from standin_batch.cli.console import count, duration
from standin_batch.cli.plan_tables import UNKNOWN, table_of
from standin_batch.cli.plan_workers import shards_drawn, workers_told
from standin_batch.run.memory_told import memory_told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from standin_batch.plan.estimate import Estimate, GroupEstimate
    from standin_batch.plan.makespan import Makespan
    from standin_batch.plan.plan import Plan
    from standin_batch.run.plan_manifest import PlannedManifest

SHOWN_JOBS = 8
"""Jobs that the table shows one by one; `--json` shows all."""

SHOWN_CHANGES = 3
"""Changes that are named, the most frequent first."""

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


def drawn(planned: PlannedManifest, workers: int | None = None) -> Iterator[RenderableType]:
    """What is shown of a plan, from top to bottom; with what so many workers take."""
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
    shared = () if makespan is None else (shards_drawn(makespan),)
    for table in (_groups(estimate), *shared, _switches(plan, estimate), _jobs(plan)):
        yield ""
        yield table


def _summary(planned: PlannedManifest, estimate: Estimate, makespan: Makespan | None) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold cyan")
    table.add_column(overflow="fold")
    rows = {
        "into": str(planned.store.layout.folder),
        "why": _why(planned.plan),
        **({"attempts": _attempts(estimate)} if estimate.further else {}),
        "time": _time(estimate),
        **({} if makespan is None else {"workers": workers_told(makespan)}),
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
    told = f"up to {count(estimate.further, 'more clip')} with other seeds, where clips are not accepted"
    if estimate.expected is not None:
        told += f"; about {estimate.expected:.0f}, as things went so far"
    if estimate.further_seconds is not None:
        told += f": {'' if estimate.expected is not None else 'up to '}{duration(estimate.further_seconds)} more"
    return told


def _time(estimate: Estimate) -> str:
    if estimate.seconds is not None:
        compiling = "; compiling is not in it" if estimate.leaves_out_compiling else ""
        return f"about {duration(estimate.seconds)} on {estimate.device.name}, as measured here{compiling}"
    unmeasured = dict.fromkeys(_name(group) for group in estimate.groups if group.seconds is None)
    return f"unknown: {estimate.device.name} has not run {', '.join(unmeasured)} yet"


def _video(estimate: Estimate) -> str:
    size = (
        "gigabytes unknown until one is done"
        if estimate.video_bytes is None
        else f"about {_scaled(estimate.video_bytes, 'B')}"
    )
    return f"{count(estimate.jobs, 'clip')}, {count(estimate.frames, 'frame')}, {size}"


def _memory(estimate: Estimate) -> str:
    if estimate.device.memory_bytes is None:
        return f"at least {_scaled(estimate.memory_bytes, 'B')} for weights and identity"
    return memory_told(estimate.peaks, estimate.device)


def _groups(estimate: Estimate) -> Table:
    right = ("jobs", "steps", "work", "time", "memory")
    table = table_of("group", *right, right=right)
    for group in estimate.groups:
        table.add_row("\n  ".join([_name(group), *group.speeds]), *_takes(group))
    if len(estimate.groups) > 1:
        table.add_row("all, with switches", *_takes(estimate), style="bold")
    return table


def _takes(what: Estimate | GroupEstimate) -> tuple[str, ...]:
    time = UNKNOWN if what.seconds is None else duration(what.seconds)
    return f"{what.jobs:,}", f"{what.steps:,}", _scaled(what.flop, "FLOP"), time, _scaled(what.memory_bytes, "B")


def _switches(plan: Plan, estimate: Estimate) -> Table:
    table = table_of("what changes hands", "planned", "as written", right=("planned", "as written"))
    written = plan.switches_in_manifest_order._asdict()
    for key, number in plan.switches._asdict().items():
        if number or written[key]:
            table.add_row(SWITCHES[key], f"{number:,}", f"{written[key]:,}")
    taken = "in all" if estimate.measured else "in all, at assumed speeds"
    seconds = (estimate.switch_seconds, estimate.switch_seconds_in_manifest_order)
    table.add_row(taken, *(f"about {duration(value)}" for value in seconds), style="bold")
    return table


def _jobs(plan: Plan) -> Table:
    table = table_of("first jobs", "size", "why")
    for item in plan.to_run[:SHOWN_JOBS]:
        size = f"{item.job.width}x{item.job.height}x{item.job.num_frames}"
        table.add_row(item.job.label, size, str(item.reason))
    if (more := len(plan.to_run) - SHOWN_JOBS) > 0:
        table.add_row(f"… and {more:,} more", "", "", style="dim")
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
