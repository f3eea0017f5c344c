"""What a run writes down of its manifest, and the number that `seed: random` is drawn from: once, then found again."""

from __future__ import annotations

import secrets
from itertools import islice

from standin_batch.attempts import attempts
from standin_batch.expand import Contents, Draw, Expansion, expand
from standin_batch.job import Job
from standin_batch.manifest import Manifest
from standin_batch.manifest.lock import drawn_from, lock
from standin_batch.output.layout import OutputLayout
from standin_batch.output.store import OwnedJob, RunFiles


def expand_drawn(manifest: Manifest, contents: Contents) -> tuple[Expansion, str]:
    """The jobs of `manifest`, and the number that their random seeds come from.

    It is the number of the lock file, be that the manifest itself or the one that an earlier run has left; without
    one it is drawn here, and lasts only if a run writes it down.
    """
    number = known_number(manifest) or secrets.token_hex(16)
    return expand(manifest, contents, Draw(number)), number


def known_number(manifest: Manifest) -> str:
    """The number that an earlier run has drawn; empty without one."""
    return drawn_from(manifest.path) or drawn_from(OutputLayout(manifest.output.folder).lock_file)


def run_files(manifest: Manifest, expansion: Expansion, number: str) -> RunFiles:
    """What a run of `manifest` writes down. A number that was once drawn is kept, needed this time or not."""
    kept = number if expansion.drawn else known_number(manifest)
    found = lock(manifest, expansion.drawn, kept)
    return RunFiles(found.text, found.files, tuple(map(_owned, expansion.jobs)))


def _owned(job: Job) -> OwnedJob:
    further = None if job.accept is None else tuple(each.job_id for each in islice(attempts(job), 1, None))
    return OwnedJob(job.job_id, further)
