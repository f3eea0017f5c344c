"""From a manifest file to a plan: the way that `validate`, `plan`, `run` and `status` have in common.

It reads the manifest, the files it names, and the output folder; it writes nothing and imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from standin_batch.digests import DigestCache
from standin_batch.errors import UsageError
from standin_batch.expand import Expansion, expand
from standin_batch.manifest import Manifest, load_manifest
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import OutputOptions, Store
from standin_batch.plan.plan import Plan
from standin_batch.plan.planner import make_plan
from standin_batch.run.known import known_jobs
from standin_batch.weights.content import weight_digests
from standin_batch.weights.registry import row


@dataclass(frozen=True)
class Selection:
    """What of a manifest is wanted.

    Attributes:
        overrides: `--set KEY=VALUE`.
        only: names of jobs; empty for all.
        limit: how many jobs to run at most.
        force: run also what is done.
        checkpoints: the folder in place of each model's own.
    """

    overrides: Sequence[str] = ()
    only: Sequence[str] = ()
    limit: int | None = None
    force: bool = False
    checkpoints: Path | None = None


@dataclass(frozen=True)
class PlannedManifest:
    """A manifest, where its results go, and what is to do."""

    manifest: Manifest
    store: Store
    plan: Plan
    repeats: int


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
    _weights: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def file(self, path: Path) -> str:
        """SHA-256 of a file."""
        if path not in self._files:
            self._files[path] = self.cache.sha256(path)
        return self._files[path]

    def weights(self, model: str) -> Mapping[str, str]:
        """Digest of each part of a model's weights."""
        if model not in self._weights:
            self._weights[model] = weight_digests(row(model), self.checkpoints, self.cache)
        return self._weights[model]


def plan_manifest(path: Path, selection: Selection) -> PlannedManifest:
    """Read a manifest and plan what of it is to do.

    Raises:
        ManifestError: with every mistake at once.
        UsageError: if `only` names no job.
    """
    manifest = load_manifest(path, overrides=selection.overrides)
    expansion = _selected(expand(manifest, FileContents(selection.checkpoints)), selection.only)
    layout = OutputLayout(manifest.output.folder)
    plan = make_plan(expansion.jobs, known_jobs(expansion.jobs, layout), force=selection.force)
    return PlannedManifest(
        manifest, Store(layout, _options(manifest)), plan.limited(selection.limit), expansion.repeats
    )


def _selected(expansion: Expansion, only: Sequence[str]) -> Expansion:
    if not only:
        return expansion
    names = {name for job in expansion.jobs for name in (job.name, *job.also)}
    if unknown := [name for name in only if name not in names]:
        raise UsageError(f"--only: there is no job {unknown[0]!r}", f"jobs: {', '.join(sorted(names))}")
    jobs = tuple(job for job in expansion.jobs if {job.name, *job.also} & set(only))
    return Expansion(jobs, expansion.repeats)


def _options(manifest: Manifest) -> OutputOptions:
    output = manifest.output
    return OutputOptions(output.template, output.quality, output.lossless, output.keep_latents)
