"""Why a job would run, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class ReasonKind(str, Enum):
    """The sorts of reasons; the values are what `standin plan --json` prints."""

    NEW = "new"
    CHANGED = "changed"
    INTERRUPTED = "interrupted"
    RESEEDED = "another seed"
    DROPPED = "dropped before, accepted now"
    FAILED_BEFORE = "failed before"
    OUTPUT_MISSING = "output missing"
    FORCED = "forced"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a job would run.

    Attributes:
        kind: the sort of reason.
        changes: what differs from the video that the job replaces, where it was saved, or what the clip before missed;
            empty unless `kind` is `changed`, `interrupted` or `another seed`.
        saved: share of its steps that are saved.
    """

    kind: ReasonKind
    changes: tuple[str, ...] = ()
    saved: float = 0.0

    NEW: ClassVar[Reason]
    INTERRUPTED: ClassVar[Reason]
    FAILED_BEFORE: ClassVar[Reason]
    OUTPUT_MISSING: ClassVar[Reason]
    FORCED: ClassVar[Reason]
    DROPPED: ClassVar[Reason]

    @classmethod
    def changed(cls, *changes: str) -> Reason:
        """The job replaces a video that differs from it in `changes`."""
        return cls(ReasonKind.CHANGED, changes)

    @classmethod
    def interrupted(cls, step: int, steps: int) -> Reason:
        """The job was begun, and is saved at a step."""
        return cls(ReasonKind.INTERRUPTED, (f"goes on from step {step} of {steps}",), step / steps if steps else 0.0)

    @classmethod
    def reseeded(cls, missed: str) -> Reason:
        """The clip with the seed before was not accepted."""
        return cls(ReasonKind.RESEEDED, (missed,))

    def __str__(self) -> str:
        return ": ".join([self.kind.value, ", ".join(self.changes)] if self.changes else [self.kind.value])


Reason.NEW = Reason(ReasonKind.NEW)
Reason.INTERRUPTED = Reason(ReasonKind.INTERRUPTED)
Reason.FAILED_BEFORE = Reason(ReasonKind.FAILED_BEFORE)
Reason.OUTPUT_MISSING = Reason(ReasonKind.OUTPUT_MISSING)
Reason.FORCED = Reason(ReasonKind.FORCED)
Reason.DROPPED = Reason(ReasonKind.DROPPED)
