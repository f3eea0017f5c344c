"""From a manifest file to a plan: the way that `validate`, `plan`, `run` and `status` have in common.

It reads the manifest, the files it names, and the output folder; it writes nothing and imports no torch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

from standin_batch.digests import DigestCache
from standin_batch.errors import UsageError
from standin_batch.expand import Expansion
from standin_batch.job import Job
from standin_batch.manifest import Manifest, load_manifest
from standin_batch.media.video import VideoInfo, probe_video
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import OutputOptions, Store
from standin_batch.plan.cost import CostModel
from standin_batch.plan.estimate import Device, Estimate, estimate
from standin_batch.plan.makespan import Makespan, makespan
from standin_batch.plan.plan import Plan
from standin_batch.plan.planner import make_plan
from standin_batch.plan.preview import preview
from standin_batch.plan.reason import Reason
from standin_batch.run.failure import SEEDED
from standin_batch.run.journal import State
from standin_batch.run.journals import latest
from standin_batch.run.known import Known, known_jobs
from standin_batch.run.lock_manifest import expand_drawn, run_files
from standin_batch.run.measured import Measured, likely_device
from standin_batch.run.standing import Standing, standing
from standin_batch.weights.content import weight_digests
from standin_batch.weights.registry import row

PROBE = "video 1"
"""What is remembered of a video; another number when the same file comes to be told in another way."""


@dataclass(frozen=True)
class Selection:
    """What of a manifest is wanted.

    Attributes:
        overrides: `--set KEY=VALUE`.
        only: names of jobs; empty for all.
        limit: how many jobs to run at most.
        force: run also what is done.
        retry_failed: run also what failed by its own content.
        preview: one cheap clip for each combination of model, mode, LoRAs and identity, in a folder of its own.
        checkpoints: the folder in place of each model's own.
        input_root: the only folder that inputs may be read from; anywhere when it is None.
    """

    overrides: Sequence[str] = ()
    only: Sequence[str] = ()
    limit: int | None = None
    force: bool = False
    retry_failed: bool = False
    preview: bool = False
    checkpoints: Path | None = None
    input_root: Path | None = None


@dataclass(frozen=True)
class PlannedManifest:
    """A manifest, where its results go, and what is to do.

    Attributes:
        manifest: as read.
        store: where its results go.
        plan: what is to do.
        repeats: how many combinations were the same video as an earlier one.
        notes: what the user should know of how videos set sizes and lengths.
        costs: what this machine has measured.
        device: that the plan would run on.
        bytes_per_pixel: of video for each pixel of each frame, in this folder; None where it has no videos.
        jobs: that were asked for, as the manifest has them.
        standing: where those of them stand that ask something of their scores.
        again: plans the same anew, by what is there then.
        selection: what of the manifest is wanted.
        whole: plans the same anew, but without the selection's limit; and what is unscored then.
        judged: whether any record says that its job asks something of its scores.
        unscored: jobs whose videos are here and were never looked at, as their run was cut off, or it failed.
    """

    manifest: Manifest
    store: Store
    plan: Plan
    repeats: int
    notes: tuple[str, ...]
    costs: CostModel
    device: Device
    bytes_per_pixel: float | None
    jobs: tuple[Job, ...]
    standing: Standing
    again: Callable[[], tuple[Plan, Standing]]
    selection: Selection
    whole: Callable[[], tuple[Plan, tuple[Job, ...]]]
    judged: bool
    unscored: tuple[Job, ...]

    @property
    def asks(self) -> bool:
        """Whether any job asks something of its scores, or did when its video was made."""
        return self.judged or any(job.accept is not None for job in self.jobs)

    def on(self, device: Device) -> PlannedManifest:
        """The same, estimated for another device; the order of jobs stays."""
        return replace(self, device=device, costs=Measured.default().costs(device.name))

    def estimate(self) -> Estimate:
        """What the plan takes."""
        return estimate(
            self.plan,
            self.costs,
            self.device,
            self.bytes_per_pixel,
            self.standing.acceptance,
            self.manifest.scores.enabled,
        )

    def makespan(self, workers: int) -> Makespan:
        """What the plan takes with several workers, each with a device like this one."""
        costs = replace(self.costs, memory=self.estimate().profile)
        return makespan(self.plan, costs, workers, self.manifest.scores.enabled)


@dataclass
class FileContents:
    """Digests of files and weights, each read once.

    Attributes:
        checkpoints: the folder in place of each model's own.
        cache: remembers digests between runs.
    """

    checkpoints: Path | None
    cache: DigestCache = field(default_factory=DigestCache.default)
    _files: dict[Path, str] = field(default_factory=dict)
    _weights: dict[tuple[str, tuple[str, ...]], Mapping[str, str]] = field(default_factory=dict)
    _videos: dict[Path, VideoInfo] = field(default_factory=dict)

    def file(self, path: Path) -> str:
        """SHA-256 of a file."""
        if path not in self._files:
            self._files[path] = self.cache.sha256(path)
        return self._files[path]

    def video(self, path: Path) -> VideoInfo:
        """Size, length and rate of a video; its frames are counted once, then remembered.

        Raises:
            VideoInputError: if it cannot be read.
        """
        if path not in self._videos:
            told = self.cache.of_several(PROBE, [path], lambda: json.dumps(asdict(probe_video(path))))
            self._videos[path] = VideoInfo(**json.loads(told))
        return self._videos[path]

    def weights(self, model: str, modules: tuple[str, ...] = ()) -> Mapping[str, str]:
        """Digest of each part of a model's weights, and of modules beside it."""
        if (model, modules) not in self._weights:
            self._weights[model, modules] = weight_digests(row(model), self.checkpoints, self.cache, modules)
        return self._weights[model, modules]


def plan_manifest(path: Path, selection: Selection) -> PlannedManifest:
    """Read a manifest and plan what of it is to do.

    Raises:
        ManifestError: with every mistake at once.
        UsageError: if `only` names no job.
    """
    return plan_loaded(load_manifest(path, overrides=selection.overrides, input_root=selection.input_root), selection)


def plan_loaded(manifest: Manifest, selection: Selection) -> PlannedManifest:
    """Plan what of a manifest that is read is to do; its overrides and its input root are what they were then.

    Raises:
        UsageError: if `only` names no job.
    """
    whole, number = expand_drawn(manifest, FileContents(selection.checkpoints))
    expansion = _selected(whole, selection.only)
    layout = OutputLayout(manifest.output.folder)
    _check_names(whole.jobs, layout, manifest.output.template)
    if selection.preview:
        expansion, layout = Expansion(preview(expansion.jobs), 0, expansion.notes), layout.preview
    device = likely_device()
    costs = Measured.default().costs(device.name)
    again = partial(_planned, expansion.jobs, layout, selection, costs)
    plan, now, known = again()
    # A preview is another folder's, and the lock file itself is as it should be.
    is_lock = manifest.path.resolve() == layout.lock_file.resolve()
    written = None if selection.preview or is_lock else partial(run_files, manifest, whole, number)
    store = Store(layout, _options(manifest), written)
    return PlannedManifest(
        manifest=manifest,
        store=store,
        plan=plan,
        repeats=expansion.repeats,
        notes=expansion.notes,
        costs=costs,
        device=device,
        bytes_per_pixel=known.bytes_per_pixel,
        jobs=expansion.jobs,
        standing=now,
        again=lambda: again()[:2],
        selection=selection,
        whole=partial(_whole, expansion.jobs, layout, selection, costs, manifest.scores.enabled),
        judged=known.judged,
        unscored=_unscored(now, known, manifest.scores.enabled),
    )


def _planned(
    jobs: Sequence[Job], layout: OutputLayout, selection: Selection, costs: CostModel
) -> tuple[Plan, Standing, Known]:
    """What of `jobs` is to do, by the records, videos and journals that are there now."""
    entries = latest(layout.journals)
    empty = frozenset(
        key for key, entry in entries.items() if entry.state is State.FAILED and entry.kind in {k.value for k in SEEDED}
    )
    now = standing(jobs, layout, frozenset() if selection.retry_failed else empty)
    known = known_jobs(now.jobs, layout, entries)
    lasting = frozenset() if selection.retry_failed else known.lasting
    reasons = dict(known.reasons)
    reasons |= {key: why for key, why in now.reseeded.items() if reasons.get(key, why) in (why, Reason.OUTPUT_MISSING)}
    plan = make_plan(now.jobs, reasons, lasting=lasting, force=selection.force, costs=costs).limited(selection.limit)
    return replace(plan, not_accepted=tuple(one.job for one in now.not_accepted)), now, known


def _whole(
    jobs: Sequence[Job], layout: OutputLayout, selection: Selection, costs: CostModel, scored: bool
) -> tuple[Plan, tuple[Job, ...]]:
    plan, now, known = _planned(jobs, layout, replace(selection, limit=None), costs)
    return plan, _unscored(now, known, scored)


def _unscored(now: Standing, known: Known, enabled: bool) -> tuple[Job, ...]:
    asked = {job.job_id: job for job in now.unscored}
    return tuple((asked | {job.job_id: job for job in now.jobs if enabled and job.job_id in known.cut_off}).values())


def _check_names(jobs: Sequence[Job], layout: OutputLayout, template: str) -> None:
    """Two videos must not have one name; with the job's id in it, they cannot."""
    if "{job_id}" in template:
        return
    if "{seed}" not in template and (job := next((job for job in jobs if job.accept is not None), None)):
        raise UsageError(
            f"output.template gives all attempts of {job.label} one name", "add {seed} or {job_id} to the template"
        )
    owners: dict[Path, Job] = {}
    for job in jobs:
        path = layout.video(job, template)
        first = owners.setdefault(path, job)
        if first is not job:
            raise UsageError(
                f"output.template gives two videos the name {layout.relative(path)}: {first.label}, and {job.label}",
                "add {job_id} to the template, or what tells them apart: {name}, {identity}, {prompt}, {seed}, ...",
            )


def _selected(expansion: Expansion, only: Sequence[str]) -> Expansion:
    if not only:
        return expansion
    names = {name for job in expansion.jobs for name in (job.name, *job.also)}
    if unknown := [name for name in only if name not in names]:
        raise UsageError(f"--only: there is no job {unknown[0]!r}", f"jobs: {', '.join(sorted(names))}")
    jobs = tuple(job for job in expansion.jobs if {job.name, *job.also} & set(only))
    return Expansion(jobs, expansion.repeats, expansion.notes)


def _options(manifest: Manifest) -> OutputOptions:
    output = manifest.output
    return OutputOptions(output.template, output.quality, output.lossless, output.keep_latents)
