"""The jobs that an output folder is about: of the manifest, or of the lock file that its last run has left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from standin_batch.errors import UsageError
from standin_batch.job import Job
from standin_batch.manifest import Manifest, load_manifest
from standin_batch.output.layout import OutputLayout
from standin_batch.run.lock_manifest import expand_drawn, known_number
from standin_batch.run.plan_manifest import FileContents


@dataclass(frozen=True)
class FolderJobs:
    """An output folder with its jobs.

    Attributes:
        layout: of the folder.
        manifest: that they are from.
        jobs: as the manifest has them.
    """

    layout: OutputLayout
    manifest: Manifest
    jobs: tuple[Job, ...]


def folder_jobs(target: Path, overrides: Sequence[str], checkpoints: Path | None) -> FolderJobs:
    """The jobs of a manifest, or of an output folder.

    Args:
        target: a manifest, or an output folder.
        overrides: values of `--set`.
        checkpoints: the folder in place of each model's own.

    Raises:
        UsageError: if the folder has no lock file, or seeds that were drawn are not known.
        ManifestError: with every mistake of the manifest.
    """
    path = OutputLayout(target).lock_file if target.is_dir() else target
    if target.is_dir() and not path.is_file():
        raise UsageError(f"{target} has no {path.name}, so its jobs are not known", "name the manifest instead")
    manifest = load_manifest(path, overrides=overrides)
    expansion, _ = expand_drawn(manifest, FileContents(checkpoints))
    if expansion.drawn and not known_number(manifest):
        raise UsageError("the seeds that this manifest has drawn are not known", "`standin run` writes them down")
    return FolderJobs(OutputLayout(target if target.is_dir() else manifest.output.folder), manifest, expansion.jobs)
