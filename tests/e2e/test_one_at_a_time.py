"""Several runs on one output at once: one works, the others leave with 4 or wait, and each job is made once."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from standin_batch.errors import ExitCode

JOBS = 3


@pytest.fixture
def manifest(workspace):
    return workspace.manifest(
        "shared",
        {
            "model": "tiny",
            "defaults": {"num_inference_steps": 1, "num_frames": 5, "width": 64, "height": 64},
            "jobs": [
                {"name": "trees", "mode": "t2v", "prompt": {"text": "A tree."}, "matrix": {"seed": f"0..{JOBS - 1}"}}
            ],
        },
    )


def made(*runs):
    """How often each job was made, over all runs."""
    events = [json.loads(line) for ran in runs for line in ran.stdout.splitlines()]
    return Counter(event["job_id"] for event in events if event["event"] == "JobCompleted")


@pytest.mark.parametrize("number", [2, 8])
def test_of_runs_that_start_at_once_one_works_and_the_others_leave_with_4(workspace, manifest, number):
    runs = workspace.together(*[["run", manifest, "--json"]] * number)
    left = [ran for ran in runs if ran.returncode == ExitCode.LOCKED]
    assert [ran.stderr for ran in runs if ran.returncode not in (ExitCode.OK, ExitCode.LOCKED)] == []
    assert 1 <= len(left) < number
    for ran in left:
        assert "is at work in outputs/shared" in ran.stderr
        assert "standin stop outputs/shared" in ran.stderr
    assert sorted(made(*runs).values()) == [1] * JOBS
    assert set(made(*runs)) == {record["job_id"] for record in workspace.records("shared")}


@pytest.mark.parametrize(("number", "waiting"), [(2, 1), (8, 4), pytest.param(8, 8, marks=pytest.mark.slow)])
def test_who_waits_makes_what_is_left(workspace, manifest, number, waiting):
    calls = [["run", manifest, "--json", *(["--wait"] if index < waiting else [])] for index in range(number)]
    runs = workspace.together(*calls)
    assert [ran.returncode for ran in runs[:waiting]] == [ExitCode.OK] * waiting, runs[0].stderr
    assert {ran.returncode for ran in runs[waiting:]} <= {ExitCode.OK, ExitCode.LOCKED}
    if number == waiting:
        told = [(ran.stdout + ran.stderr).count("waiting for process ") for ran in runs]
        assert set(told) == {0, 1}, "one found it free; each of the others was told once"
    assert sorted(made(*runs).values()) == [1] * JOBS
    assert len(workspace.records("shared")) == JOBS


def test_afterwards_the_output_is_free(workspace, manifest):
    workspace.together(*[["run", manifest, "--json"]] * 2)
    assert (workspace.folder / "outputs" / "shared" / ".standin" / "lock").read_bytes() == b""
    assert "nobody is at work in outputs/shared" in workspace.standin("stop", manifest).stderr
