"""`--profile`: where the time of a run went."""

from __future__ import annotations

import json
import time

import pytest

from standin_batch.run.profile import PARTS

NEAR = 0.02
"""Share of the wall time that the parts may miss, and that may be in no part."""


def manifest(workspace, name, **fields):
    job = {"name": "trees", "mode": "t2v", "prompt": {"text": "A tree."}, **fields}
    return workspace.manifest(name, {"model": "tiny", "jobs": [job]})


def profiled(stdout):
    (found,) = [event for line in stdout.splitlines() if (event := json.loads(line))["event"] == "Profiled"]
    return found


def test_it_is_a_table_at_the_end(workspace):
    ran = workspace.standin("run", manifest(workspace, "shown"), "--profile")
    assert ran.returncode == 0, ran.stderr
    table = ran.stderr.partition("where the time went")[2]
    for told in ("denoising", "decoding", "loading weights", "the whole process", "100.0 %", "beside these: writing"):
        assert told in table, told


def test_without_it_nothing_is_shown_but_the_log_has_it(workspace):
    ran = workspace.standin("run", manifest(workspace, "hidden"))
    assert "the whole process" not in ran.stderr
    log = (workspace.folder / "outputs" / "hidden" / ".standin" / "log.jsonl").read_text()
    (line,) = [line for line in log.splitlines() if '"message": "where ' in line]
    assert "denoising" in json.loads(line)["message"]


def test_a_run_that_ends_badly_has_one_too(workspace):
    path = manifest(workspace, "bad", prompt={"text": "A tree."}, retries=0)
    ran = workspace.standin("run", path, "--json", faults={"kind": "memory", "calls": [1, 2, 3, 4, 5, 6]})
    assert ran.returncode == 1, ran.stderr
    assert sum(profiled(ran.stdout)["parts"].values()) == pytest.approx(profiled(ran.stdout)["seconds"])


def test_with_nothing_to_do_there_is_one_as_well(workspace):
    path = manifest(workspace, "again")
    assert workspace.standin("run", path).returncode == 0
    assert "the whole process" in workspace.standin("run", path, "--profile").stderr
    found = profiled(workspace.standin("run", path, "--json").stdout)
    assert (found["parts"]["denoise"], found["seconds"] > found["parts"]["plan"] > 0) == (0.0, True)


@pytest.mark.timing
def test_its_parts_sum_to_the_wall_time_of_the_process(workspace, manifests):
    workspace.standin("run", manifest(workspace, "first"))  # which makes the tiny model
    start = time.perf_counter()
    process = workspace.start("run", manifests / "quickstart.yaml", "--json")
    stdout, stderr = process.communicate()
    wall = time.perf_counter() - start
    assert process.returncode == 0, stderr
    found = profiled(stdout)
    assert list(found["parts"]) == list(PARTS)
    assert sum(found["parts"].values()) == pytest.approx(wall, rel=NEAR)
    assert found["parts"]["other"] < NEAR * wall
