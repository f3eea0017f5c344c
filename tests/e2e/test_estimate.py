"""The estimate learns: what earlier runs took tells how long the next one takes."""

from __future__ import annotations

import json
import time

import pytest

NEAR = 0.15
"""Share of the true time by which the estimate of the third run of a kind may be wrong."""

SAME = 0.1
"""The same for a run by its own measurements: loading and prompts are those of other kinds as well."""


def manifest(workspace, seed, **defaults):
    """Runs of one kind, into folders of their own."""
    prompts = [{"text": f"A tree, {number}."} for number in range(4)]
    settings = {"model": "tiny", "defaults": {"num_inference_steps": 10, "num_frames": 17, **defaults}}
    job = {"name": "trees", "mode": "t2v", "seed": seed, "matrix": {"prompt": prompts}}
    return workspace.manifest(f"run{seed}", {**settings, "jobs": [job]})


def called(workspace, *arguments):
    """What a process of its own prints, and the seconds from its start to its end."""
    start = time.perf_counter()
    process = workspace.start(*arguments)
    stdout, stderr = process.communicate()
    assert process.returncode == 0, stderr
    return stdout, time.perf_counter() - start


def test_a_run_that_is_the_only_one_of_its_kind_has_taken_what_the_next_is_told_to_take(workspace):
    """Whatever else was at work on this machine: what is learnt of a run sums to it."""
    ran = workspace.standin("run", manifest(workspace, 0, num_frames=13), "--json")
    (profiled,) = [event for line in ran.stdout.splitlines() if (event := json.loads(line))["event"] == "Profiled"]
    taken = profiled["seconds"] - profiled["parts"]["prompt"]  # those of the next are remembered
    planned = workspace.standin("plan", manifest(workspace, 1, num_frames=13), "--json")
    assert json.loads(planned.stdout)["estimate"]["seconds"] == pytest.approx(taken, rel=SAME)


@pytest.mark.slow
@pytest.mark.timing
def test_the_third_run_of_a_kind_takes_as_long_as_the_plan_says(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("STANDIN_CACHE", str(tmp_path / "cache"))
    estimates, taken = [], []
    for seed in range(3):
        path = manifest(workspace, seed)
        estimates.append(json.loads(called(workspace, "plan", path, "--json")[0])["estimate"]["seconds"])
        taken.append(called(workspace, "run", path, "--quiet")[1])
    assert estimates[0] is None, "nothing is told before anything was measured"
    assert estimates[2] == pytest.approx(taken[2], rel=NEAR), (estimates, taken)
