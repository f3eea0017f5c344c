"""Whether a video shows the faces that a swap needs: from what was found in some of its frames to findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from standin_batch.face.checks import Cause, FaceChecks, Finding
from standin_batch.face.track import LIKE


@dataclass(frozen=True)
class Footage:
    """A video that a face is to go into, as preflight sees it.

    Attributes:
        name: of its file.
        sampled: frames that were looked at; at least one.
        with_face: those of them that show a face.
        most: faces in one of them at most.
        wanted: file name of the photograph of who is replaced; empty without one.
        unusable: why that photograph shows nobody; empty if it does.
        likeness: mean cosine between it and the faces of the person most like it; None if nothing was compared.
    """

    name: str
    sampled: int
    with_face: int
    most: int
    wanted: str = ""
    unusable: str = ""
    likeness: float | None = None

    @property
    def coverage(self) -> float:
        """The share of frames that show a face."""
        return self.with_face / self.sampled


def footage_findings(footage: Footage, checks: FaceChecks) -> tuple[Finding, ...]:
    """What is wrong with a video."""
    return (*_coverage(footage, checks), *_wanted(footage, checks))


def _coverage(footage: Footage, checks: FaceChecks) -> Iterator[Finding]:
    if footage.with_face and footage.coverage >= checks.min_coverage:
        return
    share, least = f"{footage.coverage:.0%}", f"{checks.min_coverage:.0%}"
    yield checks.finding(
        footage.name,
        Cause.FACES_IN_VIDEO,
        f"a face in {footage.with_face} of the {footage.sampled} frames looked at, {share} (at least {least})",
        "cut the video to where the face is seen, or write `paste: false` for one that is prepared already",
        f"faces in {share} < {least}",
        about="video",
    )


def _wanted(footage: Footage, checks: FaceChecks) -> Iterator[Finding]:
    if footage.unusable:
        message, short = f"who is replaced cannot be told by {footage.wanted}: {footage.unusable}", footage.unusable
    elif footage.likeness is not None and footage.likeness < LIKE:
        message = (
            f"nobody in it looks like {footage.wanted}: the best likeness is {footage.likeness:.2f} "
            f"(at least {LIKE:.2f})"
        )
        short = f"likeness {footage.likeness:.2f} < {LIKE:.2f}"
    else:
        return
    cure = "take another photograph of the person, or write `target` instead of `target_image`"
    yield checks.finding(footage.name, Cause.PERSON_NOT_IN_VIDEO, message, cure, short, about="video")
