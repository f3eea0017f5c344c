"""Preflight of a whole manifest, whatever of it is done: for `standin validate --faces`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from standin_batch.job import Job, Subject
from standin_batch.manifest import Identity, Manifest
from standin_batch.output.layout import OutputLayout
from standin_batch.run.events import Listener
from standin_batch.run.lock_manifest import expand_drawn
from standin_batch.run.manifest_uses import FaceWeights
from standin_batch.run.preflight import Preflight, preflight
from standin_batch.run.ready import make_here
from standin_batch.run.weight_needs import uses_of
from standin_batch.weights.locate import FaceFiles, locate_faces
from standin_batch.weights.registry import ROWS


def preflight_manifest(manifest: Manifest, checkpoints: Path | None, emit: Listener) -> Preflight:
    """Look at every identity of `manifest`, and every video into which it puts faces. No GPU is used.

    Prepared subjects are left in its output folder, where a run finds them.

    Args:
        manifest: as read.
        checkpoints: the folder in place of each model's own; only face models need to be there.
        emit: is told when looking begins and ends.

    Raises:
        FaceModelsMissing: if face models are needed and missing, or cannot be loaded.
        ManifestError: with every video that cannot be read.
    """
    contents = FaceWeights(checkpoints)
    jobs = expand_drawn(manifest, contents)[0].jobs
    looking = {use.row.name for use in uses_of(jobs) if use.faces}
    make_here(looking, checkpoints, emit)
    faces = {model: locate_faces(ROWS[model], checkpoints) for model in {job.model for job in jobs}}
    for model in looking:
        _require(faces[model])
    layout = OutputLayout(manifest.output.folder)
    return preflight([*jobs, *_twins(manifest, jobs, contents)], manifest.faces, faces, layout, emit)


def _require(files: FaceFiles) -> None:
    from standin_batch.face.detect import require_models
    from standin_batch.face.parse import require_parser

    require_models(files.detector)
    require_parser(files.parser)


def _twins(manifest: Manifest, jobs: Sequence[Job], contents: FaceWeights) -> Iterator[Job]:
    """Jobs of identities that are another one's photograph: their videos are that one's, and not made twice."""
    first: dict[str, Job] = {}
    for job in jobs:
        if job.subject is not None:
            first.setdefault(_content(job.subject), job)
    named = {job.subject.name for job in jobs if job.subject is not None}
    for identity in _identities(manifest):
        subject = Subject(
            identity.name, identity.image, identity.kind, identity.on_no_face, contents.file(identity.image)
        )
        if identity.name not in named and (twin := first.get(_content(subject))) is not None:
            yield replace(twin, subject=subject)


def _content(subject: Subject) -> str:
    return " ".join(subject.fingerprint().values())


def _identities(manifest: Manifest) -> dict[Identity, None]:
    """Each identity that a job names."""
    variants = (variant for spec in manifest.jobs for variant in spec.variants())
    return dict.fromkeys(identity for variant in variants if (identity := variant.values["identity"]) is not None)
