"""Whether a manifest could run on this machine: everything that stands against it at once, for `standin doctor`.

Weights are looked at by their headers, in seconds: a plan reads them whole where their digests are not known yet.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from standin_batch.environment import Finding, Level
from standin_batch.environment.disk import disk_finding, writable_finding
from standin_batch.environment.gpu import ask_driver
from standin_batch.errors import StandinError
from standin_batch.job import Job, Lora
from standin_batch.manifest import load_manifest
from standin_batch.media.image import open_image
from standin_batch.modes import MODES
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import read_records
from standin_batch.plan.estimate import Device
from standin_batch.plan.peak import Extent, fits, fitting, peaks
from standin_batch.plan.planner import make_plan
from standin_batch.plan.work import memory_bytes
from standin_batch.run.events import Event, Warned
from standin_batch.run.lock_manifest import expand_drawn
from standin_batch.run.lora_check import check_loras
from standin_batch.run.manifest_uses import UnreadWeights
from standin_batch.run.measured import likely_device
from standin_batch.run.memory_told import memory_told, size_told
from standin_batch.run.speed_ready import speed_faults
from standin_batch.run.weight_findings import Weights, weight_findings
from standin_batch.run.weight_needs import uses_of
from standin_batch.speed import EXACT
from standin_batch.weights.lora_keys import read_layout
from standin_batch.weights.registry import ROWS
from standin_batch.weights.shapes import dit_shapes

GB = 10**9
ENOUGH_RECORDS = 200
"""As many finished videos say how large the next ones are."""


def diagnose(path: Path, checkpoints: Path | None) -> list[Finding]:
    """What the manifest at `path` needs and does not find here, and what it does.

    Args:
        path: of the manifest.
        checkpoints: the folder in place of each model's own.

    Raises:
        ManifestError: with every mistake of the manifest at once.
    """
    manifest = load_manifest(path)
    jobs = expand_drawn(manifest, UnreadWeights(checkpoints))[0].jobs
    found = [weight_findings(use, checkpoints, path) for use in uses_of(jobs)]
    checks: tuple[Iterable[Finding], ...] = (
        *(weights.findings for weights in found),
        _room(found),
        _loras(jobs, found),
        _pictures(jobs),
        _speed(jobs),
        _memory(jobs, path, likely_device()),
        _output(jobs, OutputLayout(manifest.output.folder)),
    )
    return [finding for check in checks for finding in check]


def _room(found: Iterable[Weights]) -> Iterator[Finding]:
    """Whether what is still to be downloaded goes onto the disk; what several rows share is counted for each."""
    missing: dict[Path, int] = {}
    for weights in found:
        missing[weights.root] = missing.get(weights.root, 0) + weights.missing_bytes
    for root, needed in missing.items():
        yield from disk_finding("checkpoints", root, needed, "the download of what is missing")


def _loras(jobs: Iterable[Job], found: Iterable[Weights]) -> Iterator[Finding]:
    """Each LoRA with the model that it is for, or with that model's sizes where its weights are missing or broken."""
    files = {weights.use.row.name: weights.files for weights in found}
    seen: dict[tuple[str, tuple[Path, ...]], tuple[Job, Lora]] = {}
    for job in jobs:
        for lora in job.loras:
            seen.setdefault((job.model, tuple(file.path for file in lora.files.values())), (job, lora))
    for (model, _), (job, lora) in seen.items():
        if (located := files.get(model)) is None:
            yield from _unplaced(lora, model)
            continue
        plan = make_plan([replace(job, loras=(lora,))], {})
        told: list[Event] = []
        try:
            check_loras(plan, {(group.model, group.base): located for group in plan.groups}, told.append)
        except StandinError as error:
            yield Finding("lora", Level.ERROR, error.message, error.hint)
            continue
        for event in told:
            if isinstance(event, Warned):
                yield Finding("lora", Level.WARNING, event.message, event.hint)


def _unplaced(lora: Lora, model: str) -> Iterator[Finding]:
    """A LoRA against the sizes of a model whose weights are not here."""
    for path in dict.fromkeys(file.path for file in lora.files.values()):
        try:
            read_layout(path, dit_shapes(ROWS[model].sizes))
        except StandinError as error:
            yield Finding("lora", Level.ERROR, error.message, error.hint)


def _pictures(jobs: Iterable[Job]) -> Iterator[Finding]:
    """Whether every picture can be opened; that files exist and videos can be read, the manifest was checked for."""
    paths = dict.fromkeys(path for job in jobs for path in _pictures_of(job))
    for path in paths:
        try:
            open_image(path)
        except StandinError as error:
            cure = error.hint or f"put a picture that opens in the place of {shlex.quote(str(path))}"
            yield Finding("inputs", Level.ERROR, error.message, cure)


def _pictures_of(job: Job) -> Iterator[Path]:
    if job.subject is not None:
        yield job.subject.image
    yield from (job.files[key].path for key in MODES[job.mode].image_keys if key in job.files)


def _speed(jobs: tuple[Job, ...]) -> Iterator[Finding]:
    """What `speed` asks for, by what is installed and what the driver says of its first GPU."""
    driver = ask_driver()
    capability = driver.gpus[0].capability if driver is not None and driver.gpus else None
    faults = [Finding("speed", Level.ERROR, each.message, each.hint) for each in speed_faults(jobs, capability)]
    yield from faults
    asked = sorted({str(job.speed) for job in jobs if job.speed != EXACT})
    if asked and not faults:
        yield Finding("speed", Level.OK, f"this machine can do what is asked for: {'; '.join(asked)}")


def _memory(jobs: tuple[Job, ...], path: Path, device: Device) -> Iterator[Finding]:
    """Whether it fits, for each model and dtype: a GPU by the expected peak, a machine without one by the weights."""
    together: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        together.setdefault((job.model, job.dtype), []).append(job)
    for (model, dtype), of_it in together.items():
        told, good = _fits(of_it, device)
        smaller = "defaults.dtype=bfloat16" if dtype == "float32" else "model=tiny"
        cure = (
            f"standin plan {shlex.quote(str(path))} --set {smaller}  # or on a larger GPU: standin run --device cuda:N"
        )
        level = Level.OK if good else Level.ERROR
        yield Finding("memory", level, f"{model} ({dtype}): {told}", "" if good else cure)


def _fits(jobs: Iterable[Job], device: Device) -> tuple[str, bool]:
    if device.memory_bytes is not None:
        found = peaks(Extent.of(job) for job in jobs)
        return memory_told(found, device), fits(found[fitting(found, device.memory_bytes)], device.memory_bytes)
    needed, there = max(map(memory_bytes, jobs)), _ram()
    verdict = "fits" if needed <= there else "does not fit"
    told = f"takes at least {size_told(needed)}: {verdict} into the {size_told(there)} of this machine's CPU"
    return told, needed <= there


def _ram() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _output(jobs: Iterable[Job], layout: OutputLayout) -> Iterator[Finding]:
    """Whether the videos go onto the disk; how large they are is known once the folder has some."""
    if locked := list(writable_finding("output", layout.folder)):
        yield from locked
        return
    pixels = sum(job.width * job.height * job.num_frames for job in jobs)
    try:
        per_pixel = _bytes_per_pixel(layout)
    except StandinError as error:
        yield Finding("output", Level.ERROR, error.message, error.hint)
        return
    if per_pixel is None:
        yield from disk_finding("output", layout.folder)
    else:
        yield from disk_finding("output", layout.folder, per_pixel * pixels, "every video of the manifest")


def _bytes_per_pixel(layout: OutputLayout) -> float | None:
    """Bytes of video for each pixel of each frame, over finished videos; None without any."""
    written = pixels = 0
    for record in islice(read_records(layout), ENOUGH_RECORDS):
        try:
            pixels += record["width"] * record["height"] * record["num_frames"]
            written += int(record["video_bytes"])
        except (KeyError, TypeError, ValueError):
            continue
    return written / pixels if pixels else None
