"""The failure policy: what kind an error is, and what is done about it."""

from __future__ import annotations

import errno

import pytest
import torch

from standin_batch.errors import NotReadyError, StandinError
from standin_batch.face.checks import RefusedError
from standin_batch.files import DiskFullError
from standin_batch.media.ffmpeg import FfmpegKilledError
from standin_batch.output.video import VideoError
from standin_batch.run.failure import (
    ENDING,
    LASTING,
    LONGEST_PAUSE,
    PASSING,
    Again,
    ConstantVideoError,
    EndRun,
    FailureKind,
    GiveUp,
    NotANumberError,
    WithLess,
    decide,
    is_lasting,
    kind_of,
)

KINDS = [
    (StandinError("no face"), FailureKind.INPUT),
    (NotANumberError("nan"), FailureKind.NOT_A_NUMBER),
    (ConstantVideoError("black"), FailureKind.CONSTANT_VIDEO),
    (RefusedError("blurred"), FailureKind.REFUSED),
    (VideoError("ffmpeg"), FailureKind.ENCODING),
    (DiskFullError("full"), FailureKind.DISK_FULL),
    (NotReadyError("weights"), FailureKind.MACHINE),
    (OSError(errno.EIO, "input/output error"), FailureKind.IO),
    (OSError(errno.ENOSPC, "no space left on device"), FailureKind.DISK_FULL),
    (FfmpegKilledError("ffmpeg was ended by signal 9"), FailureKind.IO),
    (OSError(errno.ESTALE, "stale file handle"), FailureKind.IO),
    (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), FailureKind.OUT_OF_MEMORY),
    (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), FailureKind.OUT_OF_MEMORY),
    (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), FailureKind.OUT_OF_MEMORY),
    (MemoryError(), FailureKind.OUT_OF_MEMORY),
    (RuntimeError("CUDA error: an illegal memory access was encountered"), FailureKind.DEVICE),
    (torch.AcceleratorError("CUDA error: device-side assert triggered"), FailureKind.DEVICE),
    (KeyError("a bug"), FailureKind.INTERNAL),
]


@pytest.mark.parametrize(("error", "kind"), KINDS, ids=lambda value: getattr(value, "value", repr(value)))
def test_an_error_has_a_kind(error, kind):
    assert kind_of(error) is kind


def test_what_the_disk_says_counts_whatever_was_made_of_it():
    try:
        try:
            raise OSError(errno.EIO, "input/output error")
        except OSError as error:
            raise StandinError("the picture cannot be read") from error
    except StandinError as error:
        assert kind_of(error) is FailureKind.IO, "a network mount that stutters is no bad picture"


def test_faults_of_the_input_are_never_tried_again():
    for kind in LASTING:
        assert decide(kind, attempt=1, retries=100) == GiveUp()
        assert is_lasting(kind.value)


def test_faults_that_may_pass_are_tried_again_with_growing_pauses():
    for kind in PASSING:
        pauses = [decide(kind, attempt, retries=20).after for attempt in range(1, 21)]
        assert pauses == sorted(pauses)
        assert pauses[0] < pauses[1] < pauses[2]
        assert max(pauses) == LONGEST_PAUSE
        assert decide(kind, attempt=3, retries=2) == GiveUp()
        assert decide(kind, attempt=1, retries=0) == GiveUp()
        assert isinstance(decide(kind, attempt=2, retries=2), Again)


def test_faults_of_the_machine_end_the_run():
    for kind in ENDING:
        assert decide(kind, attempt=1, retries=100) == EndRun()


def test_out_of_memory_takes_less_as_long_as_there_is_less_whatever_retries_say():
    assert decide(FailureKind.OUT_OF_MEMORY, attempt=1, retries=0, can_take_less=True) == WithLess()
    assert decide(FailureKind.OUT_OF_MEMORY, attempt=1, retries=9, can_take_less=False) == GiveUp()


OTHERS = (FailureKind.OUT_OF_MEMORY, FailureKind.REFUSED, FailureKind.NOT_ACCEPTED)


def test_every_kind_has_its_rule():
    assert {*LASTING, *PASSING, *ENDING, *OTHERS} == set(FailureKind)
