"""The plan of `standin plan --json`, as `docs/plan.md` describes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from standin_batch.plan.makespan import Makespan
    from standin_batch.plan.plan import PlannedJob
    from standin_batch.run.plan_manifest import PlannedManifest


def plan_json(planned: PlannedManifest, workers: int | None = None) -> dict[str, object]:
    """The plan as data, as `docs/plan.md` describes it; with what so many workers take."""
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
