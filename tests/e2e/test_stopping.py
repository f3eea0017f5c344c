"""Stopping: within a step, with 75, and the next run goes on inside the clip."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

STEPS = 60

GRACE = 2.0
"""Seconds beside a step that leaving may take."""


def manifest(workspace, name, **fields):
    job = {"name": "trees", "mode": "t2v", "prompt": {"text": "A tree."}, **fields}
    small = {"num_inference_steps": STEPS, "num_frames": 5, "width": 64, "height": 64}
    settings = {"model": "tiny", "output": {"keep_latents": True}, "defaults": small}
    return workspace.manifest(name, {**settings, "jobs": [job]})


def latents(workspace, name):
    folder = workspace.folder / "outputs" / name
    return [(folder / record["latents"]).read_bytes() for record in workspace.records(name)]


@pytest.fixture(scope="module")
def workspace(make_workspace):
    return make_workspace("stopping")


@pytest.fixture(scope="module")
def whole(workspace):
    ran = workspace.standin("run", manifest(workspace, "whole"))
    assert ran.returncode == 0, ran.stderr
    return latents(workspace, "whole")


def lines(process):
    for line in process.stdout:
        yield json.loads(line)


def test_a_signal_saves_within_a_step_and_the_next_run_goes_on_to_the_bit(workspace, whole, record_property):
    path = manifest(workspace, "stopped")
    with workspace.start("run", path, "--json") as process:
        steps = []
        for event in lines(process):
            if event["event"] == "JobStep":
                steps.append(event["time"])
            if len(steps) == 5:
                break
        os.kill(process.pid, signal.SIGTERM)
        asked = time.monotonic()
        rest = [json.loads(line) for line in process.communicate(timeout=60)[0].splitlines()]
        took = time.monotonic() - asked
    step = max(later - earlier for earlier, later in zip(steps, steps[1:], strict=False))
    print(f"SIGTERM to exit: {took:.2f} s, the longest step {step:.2f} s")
    assert process.returncode == 75
    assert took < step + GRACE
    finished = rest[-1]
    assert (finished["event"], finished["stopped"], finished["why"]) == ("RunFinished", True, "SIGTERM")
    saved = [event["step"] for event in rest if event["event"] == "JobSaved"][-1]
    assert workspace.standin("status", path, "--json").returncode == 0

    ran = workspace.standin("run", path, "--json")
    assert ran.returncode == 0, ran.stderr
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [event["step"] for event in events if event["event"] == "JobResumed"] == [saved]
    assert [event["step"] for event in events if event["event"] == "JobStep"] == list(range(saved + 1, STEPS + 1))
    assert latents(workspace, "stopped") == whole


def test_a_second_signal_stops_at_once(workspace):
    path = manifest(workspace, "twice", num_frames=81, width=160, height=160)
    with workspace.start("run", path, "--json") as process:
        next(event for event in lines(process) if event["event"] == "JobStarted")
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)  # two signals in one moment are one
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        process.communicate(timeout=60)
    assert process.returncode == 75
    assert time.monotonic() - asked < GRACE


def test_while_weights_load_there_is_nothing_to_wait_for(workspace):
    with workspace.start("run", manifest(workspace, "early"), "--json") as process:
        next(event for event in lines(process) if event["event"] == "Preparing")
        process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        process.communicate(timeout=60)
    assert process.returncode == 75
    assert time.monotonic() - asked < GRACE


def test_a_closed_terminal_does_no_harm(workspace):
    path = manifest(workspace, "closed", num_inference_steps=4)
    with workspace.start("run", path, "--json") as process:
        next(event for event in lines(process) if event["event"] == "JobStarted")
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_stop_from_another_shell_and_the_next_run_goes_on(workspace, whole):
    path = manifest(workspace, "asked")
    with workspace.start("run", path, "--json") as process:
        next(event for event in lines(process) if event["event"] == "JobStep")
        asked = workspace.standin("stop", path)
        assert asked.returncode == 0, asked.stderr
        rest = [json.loads(line) for line in process.communicate(timeout=60)[0].splitlines()]
    assert process.returncode == 75
    assert rest[-1]["why"] == "standin stop"
    ran = workspace.standin("run", path)
    assert ran.returncode == 0, ran.stderr
    assert latents(workspace, "asked") == whole


def test_a_deadline_stops_it_in_time_and_nothing_hopeless_is_begun(workspace, whole):
    path = manifest(workspace, "deadline", matrix={"seed": "0..40"})
    start = time.monotonic()
    ran = workspace.standin("run", path, "--json", "--max-time", "3s")
    assert ran.returncode == 75, ran.stderr
    assert time.monotonic() - start < 3 + GRACE
    finished = json.loads(ran.stdout.splitlines()[-1])
    assert finished["why"] == "the deadline"
    assert finished["remaining"] > 0
    late = workspace.standin("run", path, "--json", "--max-time", "0.01s")
    assert late.returncode == 75
    assert not [line for line in late.stdout.splitlines() if json.loads(line)["event"] == "JobStarted"]


@pytest.mark.parametrize("option", [["--deadline", "soon"], ["--max-time", "6"]], ids=" ".join)
def test_a_time_that_cannot_be_meant_is_refused(workspace, option):
    ran = workspace.standin("run", manifest(workspace, "when"), *option)
    assert ran.returncode == 2
    assert "for example" in ran.stderr
