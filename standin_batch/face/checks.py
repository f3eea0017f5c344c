"""What preflight objects to, from where on, and how much that matters: data, nothing is looked at here.

How `FaceChecks` came to its defaults is told in `docs/preflight.md`; the names of causes and thresholds are the
manifest's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from standin_batch.errors import StandinError

Severity = Literal["error", "warning"]
About = Literal["identity", "video"]


class Cause(str, Enum):
    """What is wrong with a photograph, or with the video that a face is to go into."""

    UNREADABLE = "unreadable"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    BLURRED = "blurred"
    TURNED_AWAY = "turned_away"
    CUT_OFF = "cut_off"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    SAME_PERSON = "same_person"
    FACES_IN_VIDEO = "faces_in_video"
    PERSON_NOT_IN_VIDEO = "person_not_in_video"


BY_THEMSELVES = frozenset({Cause.UNREADABLE, Cause.NO_FACE})
"""Causes by which a job fails without anybody refusing it: there is nothing to show to the model."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes:
        name: of the identity, or of the video.
        cause: what it is.
        severity: whether its jobs are refused.
        message: what was measured, and the threshold.
        cure: what to do about it.
        short: the same in a few words, for a picture.
        others: identities that it is also about.
        about: what `name` names: an identity can be called as a video's file is.
    """

    name: str
    cause: Cause
    severity: Severity
    message: str
    cure: str
    short: str
    others: tuple[str, ...] = ()
    about: About = "identity"


@dataclass(frozen=True, slots=True)
class FaceChecks:
    """From where on something is worth a word.

    Attributes:
        min_side: pixels, the shorter side of the face.
        max_second_face: side of the second largest face, as a share of the largest one's.
        min_sharpness: variance of the Laplacian, see `portrait.sharpness_of`.
        max_yaw: degrees to either side.
        max_pitch: degrees up or down.
        max_roll: degrees to either shoulder.
        max_cut_off: share of the square about the face, 1.5 times its size, that lies outside the picture.
        min_brightness: grey level, 0..255, that a twentieth of the face is brighter than.
        max_blown_out: share of the face that is white.
        same_person: cosine of two embeddings.
        min_coverage: share of a video's frames that show a face.
        refuse: the causes that are errors.
    """

    min_side: int = 96
    max_second_face: float = 0.5
    min_sharpness: float = 40.0
    max_yaw: float = 35.0
    max_pitch: float = 30.0
    max_roll: float = 30.0
    max_cut_off: float = 0.25
    min_brightness: float = 60.0
    max_blown_out: float = 0.3
    same_person: float = 0.5
    min_coverage: float = 0.5
    refuse: tuple[str, ...] = (Cause.NO_FACE.value, Cause.UNREADABLE.value)

    def finding(
        self,
        name: str,
        cause: Cause,
        message: str,
        cure: str,
        short: str,
        others: tuple[str, ...] = (),
        about: About = "identity",
    ) -> Finding:
        """A finding, as severe as its cause is here."""
        severity: Severity = "error" if cause.value in self.refuse else "warning"
        return Finding(name, cause, severity, message, cure, short, others, about)


class RefusedError(StandinError):
    """A photograph or video that preflight refuses."""

    @classmethod
    def of(cls, finding: Finding) -> RefusedError:
        """What the jobs of an identity fail by."""
        cause = finding.cause.value
        return cls(
            f"preflight refuses {finding.name}: {finding.message}",
            f"{finding.cure}; or take `{cause}` out of `faces.refuse`, or move its threshold",
        )
