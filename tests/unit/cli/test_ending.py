"""What a run leaves with: 0 says that all is done, and nothing else says it."""

from __future__ import annotations

import pytest

from standin_batch.cli.ending import exit_code
from standin_batch.errors import ExitCode
from standin_batch.run.events import RunFinished


def finished(**fields):
    told = {"completed": 3, "failed": 0, "remaining": 0, "seconds": 1.0, "stopped": False, "folder": "out"}
    return RunFinished(**{**told, **fields})


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, ExitCode.OK),
        ({"failed": 1}, ExitCode.JOBS_FAILED),
        ({"failed": 1, "remaining": 2, "why": "max_failures"}, ExitCode.JOBS_FAILED),
        ({"remaining": 2, "stopped": True, "why": "Ctrl-C"}, ExitCode.STOPPED),
        ({"failed": 1, "remaining": 2, "why": "device"}, ExitCode.NOT_READY),
        ({"remaining": 1}, ExitCode.STOPPED),
    ],
)
def test_what_the_machine_lacks_stands_above_a_stop_and_that_above_jobs(fields, code):
    assert exit_code(finished(**fields)) is code
