"""News: what workers tell the driver. All of it can be sent to another machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeAlias

from standin_batch.run.events import Event


@dataclass(frozen=True)
class Joined:
    """A worker is there, and can be given jobs.

    Attributes:
        host: its machine.
        device: in its driver's words.
    """

    host: str
    device: str


@dataclass(frozen=True)
class Told:
    """Something happened."""

    event: Event


@dataclass(frozen=True)
class Sent:
    """A file that the driver has to put into the output folder, as the worker does not see that.

    Attributes:
        path: below the output folder.
        content: of the file; None where there is to be none.
        is_line: whether it is what a file gets behind all that it has, and not a file.
    """

    path: PurePosixPath
    content: bytes | None
    is_line: bool = False


@dataclass(frozen=True)
class Made:
    """A parcel is made, as far as it can be; its last clips may still be written.

    Attributes:
        out_of_time: whether jobs of it were left, as the deadline is near.
    """

    out_of_time: bool = False


@dataclass(frozen=True)
class Gone:
    """A worker has ended.

    Attributes:
        why: in words; empty of one that has done all it was to do.
        kind: of the fault, as `failure.FailureKind` has it, or `DIED`; empty without one.
        cure: what to do about it.
    """

    why: str
    kind: str = ""
    cure: str = ""


News: TypeAlias = "Joined | Told | Sent | Made | Gone"

DIED = "died"
"""The kind of the fault of a worker that could not say what was wrong."""
