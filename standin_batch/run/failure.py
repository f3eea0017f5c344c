"""The failure policy: what kind of fault an error is, and what is done about it. Nothing here is tried or waited for.

| kind | in this run | in the next run |
| --- | --- | --- |
| `input`, `not_a_number`, `constant_video` | failed: the same job gives the same again | only with `--retry-failed` |
| `not_accepted` | made as often as `accept` allows, and no clip was accepted | left out, unless `accept` is changed |
| `refused` | failed: preflight objects to its photograph or video | looked at again |
| `encoding`, `io`, `internal` | tried again, with growing pauses | tried again |
| `out_of_memory` | tried again with less on the device | tried again |
| `disk_full`, `device`, `machine` | failed, and the run ends: no other job would fare better | tried again |
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from standin_batch.errors import NotReadyError, StandinError
from standin_batch.face.checks import RefusedError
from standin_batch.files import FULL, DiskFullError
from standin_batch.media.ffmpeg import FfmpegKilledError
from standin_batch.output.video import VideoError

FIRST_PAUSE = 1.0
"""Seconds before the second attempt."""

GROWTH = 4.0
"""How much longer each further pause is."""

LONGEST_PAUSE = 300.0


class FailureKind(str, Enum):
    """What sort of fault a job failed by."""

    INPUT = "input"
    NOT_A_NUMBER = "not_a_number"
    CONSTANT_VIDEO = "constant_video"
    NOT_ACCEPTED = "not_accepted"
    REFUSED = "refused"
    ENCODING = "encoding"
    IO = "io"
    INTERNAL = "internal"
    OUT_OF_MEMORY = "out_of_memory"
    DISK_FULL = "disk_full"
    DEVICE = "device"
    MACHINE = "machine"


LASTING = frozenset({FailureKind.INPUT, FailureKind.NOT_A_NUMBER, FailureKind.CONSTANT_VIDEO})
"""Faults that the job's own content brings: its id stands for all of that, so it would fail in the same way again."""


def is_lasting(kind: str) -> bool:
    """Whether a job that failed by this kind of fault would fail by it again."""
    return kind in {each.value for each in LASTING}


SEEDED = frozenset({FailureKind.NOT_A_NUMBER, FailureKind.CONSTANT_VIDEO})
"""Those of them that another seed may not have."""

PASSING = frozenset({FailureKind.ENCODING, FailureKind.IO, FailureKind.INTERNAL})
"""Faults that may be gone at the next attempt."""

ENDING = frozenset({FailureKind.DISK_FULL, FailureKind.DEVICE, FailureKind.MACHINE})
"""Faults of the machine: whatever comes next would fail by them too."""


class NotANumberError(StandinError):
    """Latents that are no numbers any more."""


class ConstantVideoError(StandinError):
    """A video that shows nothing."""


@dataclass(frozen=True)
class Again:
    """Try the job again, when `after` seconds have passed."""

    after: float


@dataclass(frozen=True)
class WithLess:
    """Try the job again at once, with less of the weights on the device."""


@dataclass(frozen=True)
class GiveUp:
    """The job has failed; the run goes on."""


@dataclass(frozen=True)
class EndRun:
    """The job has failed, and the run ends."""


Decision: TypeAlias = "Again | WithLess | GiveUp | EndRun"


def decide(kind: FailureKind, attempt: int, retries: int, *, can_take_less: bool = False) -> Decision:
    """What is done about a failure.

    Args:
        kind: of the failure.
        attempt: how often the job was tried for faults that may pass, this time included; from 1.
        retries: how often it may be tried again.
        can_take_less: whether there is a memory profile that leaves more room on the device.
    """
    if kind in ENDING:
        return EndRun()
    if kind is FailureKind.OUT_OF_MEMORY:
        return WithLess() if can_take_less else GiveUp()
    if kind in PASSING and attempt <= retries:
        return Again(min(LONGEST_PAUSE, FIRST_PAUSE * GROWTH ** (attempt - 1)))
    return GiveUp()


def kind_of(error: BaseException) -> FailureKind:
    """The kind of fault that `error` tells of, or what it came from does."""
    kinds = [_kind(each) for each in _chain(error)]
    telling = (kind for kind in kinds if kind is not FailureKind.INTERNAL)
    # What the disk or the device says lies deepest, and counts most, whatever was made of it above.
    return next((kind for kind in kinds if kind in _DEEP), next(telling, FailureKind.INTERNAL))


_DEEP = (FailureKind.DISK_FULL, FailureKind.OUT_OF_MEMORY, FailureKind.DEVICE, FailureKind.IO)

_PASSING_ERRNOS = (
    *(errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ENFILE, errno.EMFILE),
    *(errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENOTCONN, errno.ECONNRESET),
    errno.ENOMEM,
)
"""Of network mounts and overloaded machines."""

_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "alloc_failed",
    "failed to allocate memory",
    "cannot allocate memory",
)
"""Of torch's allocators, cuBLAS and ONNX Runtime, in lower case: their errors have no type of their own."""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _kind(error: BaseException) -> FailureKind:
    for kinds, found in _BY_TYPE:
        if isinstance(error, kinds):
            return found
    if isinstance(error, OSError):
        if error.errno in FULL:
            return FailureKind.DISK_FULL
        return FailureKind.IO if error.errno in _PASSING_ERRNOS else FailureKind.INTERNAL
    words = str(error).lower()
    # By name: torch is not imported here.
    if isinstance(error, MemoryError) or _is_called(error, "OutOfMemoryError"):
        return FailureKind.OUT_OF_MEMORY
    if any(text in words for text in _MEMORY_WORDS):
        return FailureKind.OUT_OF_MEMORY
    if _is_called(error, "AcceleratorError") or (isinstance(error, RuntimeError) and "cuda error" in words):
        return FailureKind.DEVICE
    return FailureKind.INTERNAL


_BY_TYPE: tuple[tuple[type[StandinError], FailureKind], ...] = (
    (NotANumberError, FailureKind.NOT_A_NUMBER),
    (ConstantVideoError, FailureKind.CONSTANT_VIDEO),
    (RefusedError, FailureKind.REFUSED),
    (DiskFullError, FailureKind.DISK_FULL),
    (FfmpegKilledError, FailureKind.IO),
    (VideoError, FailureKind.ENCODING),
    (NotReadyError, FailureKind.MACHINE),
    (StandinError, FailureKind.INPUT),
)


def _is_called(error: BaseException, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(error).__mro__)
