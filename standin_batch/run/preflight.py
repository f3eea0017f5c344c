"""Preflight: the identities and videos of jobs are looked at, before any of them costs anything.

What is wrong with what was seen is `face.preflight`'s to say, how it was seen `looks`'s, and how it is shown `sheet`'s.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from standin_batch.face.checks import BY_THEMSELVES, About, FaceChecks, Finding
from standin_batch.face.footage import Footage, footage_findings
from standin_batch.face.preflight import findings_of
from standin_batch.face.sheet import Verdict
from standin_batch.job import InputFile, Job
from standin_batch.output.layout import OutputLayout
from standin_batch.run.events import Listener, Warned
from standin_batch.run.looks import meant, watched
from standin_batch.run.preparing import preparing
from standin_batch.run.studio import Seen, Studio
from standin_batch.weights.locate import FaceFiles

MOST_SAID = 10
"""Warnings that a run says one by one."""


@dataclass(frozen=True)
class Preflight:
    """What was looked at, and what is wrong with it.

    Attributes:
        seen: identities, in the order of their jobs.
        footage: videos that faces go into, likewise.
        findings: of identities in their order, then of videos.
        refused: why jobs are not made, by their id. Those that will fail by themselves are not among them.
        notes: what could not be looked at.
    """

    seen: tuple[Seen, ...] = ()
    footage: tuple[Footage, ...] = ()
    findings: tuple[Finding, ...] = ()
    refused: Mapping[str, Finding] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def of(self, about: About, name: str) -> tuple[Finding, ...]:
        """What is wrong with the identity or video of this name."""
        return tuple(finding for finding in self.findings if (finding.about, finding.name) == (about, name))

    @property
    def has_errors(self) -> bool:
        """Whether any finding is an error."""
        return any(finding.severity == "error" for finding in self.findings)


def preflight(
    jobs: Sequence[Job], checks: FaceChecks, faces: Mapping[str, FaceFiles], layout: OutputLayout, emit: Listener
) -> Preflight:
    """Look at each identity of `jobs`, and at each video in which they look for faces, once, without a GPU.

    Args:
        jobs: of any models.
        checks: from where on something is wrong.
        faces: the files of the face models, by the row of the registry.
        layout: of the output folder: prepared subjects are kept there, and what tells people apart.
        emit: is told when it begins and ends.

    Raises:
        FaceModelsMissing: if there are no face models, and somebody has to be looked at.
    """
    sitting, showing = _sitting(jobs), _showing(jobs)
    if not sitting and not showing:
        return Preflight()
    studio = Studio(faces, layout)
    with preparing(emit, f"looking at {told(len(sitting), len(showing))}"):
        seen = tuple(studio.seen(name, theirs[0]) for name, theirs in sitting.items())
        found = list(findings_of([each.sitter for each in seen], checks))
        footage = []
        for name, theirs in showing.items():
            watched = studio.footage(name, theirs[0], checks)
            if isinstance(watched, Finding):
                found.append(watched)
            else:
                footage.append(watched)
                found += footage_findings(watched, checks)
    refused = _refused(found, {"identity": sitting, "video": showing})
    return Preflight(seen, tuple(footage), tuple(found), refused, tuple(studio.notes))


def told(identities: int, videos: int) -> str:
    """How many were looked at, in words."""
    counts = ((identities, "identity", "identities"), (videos, "video", "videos"))
    return " and ".join(f"{number:,} {one if number == 1 else many}" for number, one, many in counts if number)


def _sitting(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    """The jobs of each identity, by its name; of several with one name each but the first also by its file."""
    of_identity: dict[tuple[str, tuple[str, ...]], list[Job]] = {}
    for job in jobs:
        if job.subject is not None:
            key = (job.subject.name, tuple(job.subject.fingerprint().values()))
            of_identity.setdefault(key, []).append(job)
    named = ((name, theirs[0].subject, theirs) for (name, _), theirs in of_identity.items())
    return _named((name, subject.image, theirs) for name, subject, theirs in named if subject is not None)


def _showing(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    """The jobs of each video in which faces are looked for, by its file's name, as they see it."""
    of_video: dict[tuple[object, ...], tuple[InputFile, list[Job]]] = {}
    for job in jobs:
        if (video := watched(job)) is not None:
            wanted = meant(job)
            size = (job.width, job.height, job.num_frames, job.fps)
            key = (video.digest, None if wanted is None else wanted.digest, size)
            of_video.setdefault(key, (video, []))[1].append(job)
    return _named((video.path.name, video.path, theirs) for video, theirs in of_video.values())


def _named(things: Iterable[tuple[str, Path, list[Job]]]) -> dict[str, list[Job]]:
    found: dict[str, list[Job]] = {}
    repeated: Counter[str] = Counter()
    for name, path, theirs in things:
        own = name if name not in found else f"{name} ({path.parent.name}/{path.name})"
        repeated[own] += 1
        found[own if repeated[own] == 1 else f"{own} {repeated[own]}"] = theirs
    return found


def _refused(findings: Iterable[Finding], jobs: Mapping[About, Mapping[str, Sequence[Job]]]) -> dict[str, Finding]:
    refused: dict[str, Finding] = {}
    for finding in findings:
        if finding.severity == "error" and finding.cause not in BY_THEMSELVES:
            for job in jobs[finding.about][finding.name]:
                refused.setdefault(job.job_id, finding)
    return refused


def warnings_of(found: Preflight, manifest: Path) -> Iterator[Warned]:
    """What a run says of it: the first warnings, and how many more there are. Errors are told by the jobs that fail."""
    for note in found.notes:
        yield Warned(note)
    warnings = [finding for finding in found.findings if finding.severity == "warning"]
    for finding in warnings[:MOST_SAID]:
        yield Warned(f"{finding.name}: {finding.message}", finding.cure)
    if (more := len(warnings) - MOST_SAID) > 0:
        yield Warned(f"… and {more:,} more", f"standin validate --faces {shlex.quote(str(manifest))}")


def verdict(findings: Iterable[Finding]) -> Verdict:
    """The worst that is to be said of what these findings are about."""
    severities = {finding.severity for finding in findings}
    return "error" if "error" in severities else "warning" if severities else "ok"
