"""The memory profile of a run, by what its clips need and the device has; the device of workers."""

from __future__ import annotations

import pytest
from jobs import make_job

from standin_batch.backends.device import device_of_workers, profile_for
from standin_batch.errors import UsageError
from standin_batch.plan.estimate import CPU, Device
from standin_batch.plan.memory import Profile
from standin_batch.plan.peak import Extent

WAN22 = Extent.of(make_job(model="wan2.2-t2v-a14b", dtype="bfloat16", cfg_scale=(4.0, 3.0)))
GIB = 2**30


@pytest.mark.parametrize(
    ("memory", "device", "profile"),
    [
        ("auto", Device("large", 141 * GIB), Profile.RESIDENT),
        ("auto", Device("medium", 48 * GIB), Profile.OFFLOAD),
        ("auto", CPU, Profile.RESIDENT),
        ("resident", Device("medium", 48 * GIB), Profile.RESIDENT),
        ("offload", Device("large", 141 * GIB), Profile.OFFLOAD),
        ("lowest", CPU, Profile.LOWEST),
    ],
)
def test_weights_leave_where_they_do_not_fit_or_it_is_asked_for(memory, device, profile):
    assert profile_for([WAN22], memory, device) is profile


@pytest.mark.parametrize(
    ("wanted", "gpus", "given"),
    [("auto", 1, ("cuda", 1)), ("cuda", 1, ("cuda", 1)), ("auto", 0, ("cpu", 0)), ("cpu", 1, ("cpu", 0))],
)
def test_workers_have_the_device_that_was_meant_for_them_and_no_other(wanted, gpus, given):
    assert device_of_workers(wanted, gpus) == given


@pytest.mark.parametrize(("wanted", "gpus"), [("cuda:1", 1), ("cuda", 0), ("tpu", 1)])
def test_what_workers_cannot_have_is_said_before_there_are_any(wanted, gpus):
    with pytest.raises(UsageError):
        device_of_workers(wanted, gpus)
