"""What a machine lacks of what `speed` asks for."""

from __future__ import annotations

import pytest
from jobs import make_job

from standin_batch.errors import ExitCode
from standin_batch.run.speed_ready import SpeedError, check_speed, speed_faults
from standin_batch.speed import EXACT, Speed

FP8, SAGE = Speed(fp8=True), Speed(attention="sage")
HOPPER, AMPERE = (9, 0), (8, 0)


def told(speed, capability, *installed):
    found = speed_faults([make_job(speed=EXACT), make_job(speed=speed)], capability, installed.__contains__)
    return [fault.message for fault in found]


@pytest.mark.parametrize("speed", [EXACT, Speed(cache=0.1), Speed(compile=True)])
def test_what_needs_nothing_is_never_missed(speed):
    assert told(speed, None) == []


@pytest.mark.parametrize(
    ("speed", "capability", "installed", "messages"),
    [
        (FP8, HOPPER, ["torchao"], []),
        (FP8, (8, 9), ["torchao"], []),
        (FP8, AMPERE, ["torchao"], ["`fp8` needs a GPU of compute capability 8.9, and this one has 8.0"]),
        (FP8, HOPPER, ["sageattention"], ["`fp8` needs torchao, which is not installed"]),
        (FP8, None, ["torchao"], ["`fp8` needs a GPU of compute capability 8.9, and there is no GPU"]),
        (SAGE, AMPERE, ["sageattention"], []),
        (SAGE, AMPERE, [], ["`attention: sage` needs SageAttention, which is not installed"]),
        (SAGE, None, ["sageattention"], ["`attention: sage` needs a GPU, and there is none"]),
    ],
)
def test_each_lack_is_told(speed, capability, installed, messages):
    assert told(speed, capability, *installed) == messages


def test_what_compiles_needs_a_compiler():
    jobs = [make_job(speed=Speed(compile=True))]
    (fault,) = speed_faults(jobs, None, found=lambda program: None)
    assert "C++ compiler" in fault.message
    assert not list(speed_faults(jobs, None, found={"clang++": "/usr/bin/clang++"}.get))


def test_a_machine_that_lacks_something_is_not_ready_and_there_is_a_cure():
    with pytest.raises(SpeedError) as caught:
        check_speed([make_job(speed=FP8)], "cpu")
    assert caught.value.exit_code == ExitCode.NOT_READY
    assert caught.value.hint
    check_speed([make_job(speed=Speed(cache=0.1))], "cpu")
