"""The memory profile of a run, by what its clips need and the device has."""

from __future__ import annotations

import pytest
from jobs import make_job

from standin_batch.backends.device import profile_for
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
