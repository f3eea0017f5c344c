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
        (FP8, AMPERE, [], ["`fp8` needs a GPU of compute capability 8.9, and this one has 8.0"]),
        (FP8, None, [], ["`fp8` needs a GPU of compute capability 8.9, and there is no GPU"]),
        (SAGE, AMPERE, ["sageattention"], []),
        (SAGE, AMPERE, [], ["`attention: sage` needs SageAttention, which is not installed"]),
        (SAGE, None, [], ["`attention: sage` needs a GPU, and there is none"]),
    ],
)
def test_each_lack_is_told(speed, capability, installed, messages):
    assert told(speed, capability, *installed) == messages


@pytest.mark.parametrize(
    ("capability", "installed", "programs", "messages"),
    [
        (None, [], ["g++"], []),
        (None, [], ["clang++"], []),
        (None, [], ["gcc"], ["`compile` needs a C++ compiler, and there is none"]),
        (HOPPER, ["triton"], ["gcc"], []),
        (HOPPER, ["triton"], ["cc"], []),
        (HOPPER, ["triton"], ["g++"], ["`compile` needs a C compiler, and there is none"]),
        (HOPPER, [], ["gcc"], ["`compile` needs triton on a GPU, and it is not installed"]),
    ],
)
def test_what_compiles_needs_a_compiler_and_on_a_gpu_triton(monkeypatch, capability, installed, programs, messages):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    jobs = [make_job(speed=Speed(compile=True))]
    faults = speed_faults(jobs, capability, installed.__contains__, programs.__contains__)
    assert [fault.message for fault in faults] == messages


@pytest.mark.parametrize(("variable", "capability"), [("CXX", None), ("CC", HOPPER)])
def test_the_compiler_may_be_one_that_the_environment_names(monkeypatch, variable, capability):
    monkeypatch.setenv(variable, "icx")
    jobs = [make_job(speed=Speed(compile=True))]
    assert not list(speed_faults(jobs, capability, ["triton"].__contains__, ["icx"].__contains__))


def test_all_that_a_machine_lacks_is_told_at_once():
    with pytest.raises(SpeedError) as caught:
        check_speed([make_job(speed=Speed(attention="sage", fp8=True))], "cpu")
    assert "`fp8` needs a GPU" in caught.value.message and "`attention: sage` needs a GPU" in caught.value.message
    assert "leave `fp8` out" in caught.value.hint and "`attention: exact`" in caught.value.hint
    assert "install" not in caught.value.hint, "no package makes a GPU of this"


def test_a_machine_that_lacks_something_is_not_ready_and_there_is_a_cure():
    with pytest.raises(SpeedError) as caught:
        check_speed([make_job(speed=FP8)], "cpu")
    assert caught.value.exit_code == ExitCode.NOT_READY
    assert caught.value.hint
    check_speed([make_job(speed=Speed(cache=0.1))], "cpu")
