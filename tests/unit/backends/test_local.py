"""What of this machine a run uses."""

from __future__ import annotations

import pytest
from jobs import make_job

from standin_batch.backends.local import takes_turns
from standin_batch.plan.estimate import CPU, Device
from standin_batch.plan.planner import make_plan

WAN22 = make_plan([make_job(model="wan2.2-t2v-a14b", dtype="bfloat16", cfg_scale=(4.0, 3.0))], {})
GIB = 2**30


@pytest.mark.parametrize(
    ("memory", "device", "turns"),
    [
        ("auto", Device("large", 141 * GIB), False),
        ("auto", Device("medium", 48 * GIB), True),
        ("auto", CPU, False),
        ("resident", Device("medium", 48 * GIB), False),
        ("offload", Device("large", 141 * GIB), True),
        ("offload", CPU, True),
    ],
)
def test_experts_take_turns_where_both_do_not_fit_or_it_is_asked_for(memory, device, turns):
    assert takes_turns(WAN22, memory, device) is turns
