"""Stopping: within a step, with 75, and the next run goes on inside the clip."""

from __future__ import annotations

import itertools
import json
import signal
import time

import pytest

from standin_batch.output.layout import OutputLayout
from standin_batch.run.lock import held

STEPS = 120

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


def run(workspace, path, *options, interrupts=()):
    """One run, its events, and how long after the last signal it left."""
    ran = workspace.standin("run", path, "--json", *options, interrupts=list(interrupts))
    return ran, [json.loads(line) for line in ran.stdout.splitlines()]


def after(event, signal, times=1):
    return {"after": f'"event": "{event}"', "times": times, "signal": signal}


def steps(events):
    return [event["step"] for event in events if event["event"] == "JobStep"]


def test_a_signal_saves_within_a_step_and_the_next_run_goes_on_to_the_bit(workspace, whole):
    path = manifest(workspace, "stopped")
    ran, events = run(workspace, path, interrupts=[after("JobStep", "SIGTERM", times=5)])
    assert ran.returncode == 75
    assert (events[-1]["event"], events[-1]["stopped"], events[-1]["why"]) == ("RunFinished", True, "SIGTERM")
    saved = [event["step"] for event in events if event["event"] == "JobSaved"][-1]
    assert saved == steps(events)[-1], "what was computed is saved"

    ran, events = run(workspace, path)
    assert ran.returncode == 0, ran.stderr
    assert [event["step"] for event in events if event["event"] == "JobResumed"] == [saved]
    assert steps(events) == list(range(saved + 1, STEPS + 1))
    assert latents(workspace, "stopped") == whole


@pytest.mark.timing
def test_it_leaves_within_a_step_and_two_seconds(workspace):
    """A process of its own, so that leaving is measured whole."""
    with workspace.start("run", manifest(workspace, "timed"), "--json") as process:
        times = []
        for line in process.stdout:
            event = json.loads(line)
            times += [event["time"]] if event["event"] == "JobStep" else []
            if len(times) == 5:
                break
        process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        process.communicate(timeout=60)
        took = time.monotonic() - asked
    longest = max(later - earlier for earlier, later in itertools.pairwise(times))
    print(f"SIGTERM to exit: {took:.2f} s; the longest step {longest:.3f} s")
    assert process.returncode == 75
    assert took < longest + GRACE


def test_a_second_signal_stops_at_once(workspace):
    """Steps are seconds long here; the second signal does not wait for the end of one."""
    path = manifest(workspace, "twice", num_frames=81, width=320, height=320)
    start = time.monotonic()
    interrupts = [after("JobStarted", "SIGINT"), after("Stopping", "SIGINT")]
    ran, events = run(workspace, path, interrupts=interrupts)
    assert ran.returncode == 75
    assert steps(events) == []
    assert time.monotonic() - start < 20


def test_while_weights_load_there_is_nothing_to_wait_for(workspace):
    ran, events = run(workspace, manifest(workspace, "early"), interrupts=[after("Preparing", "SIGTERM")])
    assert ran.returncode == 75
    assert steps(events) == []


def test_a_closed_terminal_does_no_harm(workspace, whole):
    ran, _ = run(workspace, manifest(workspace, "closed"), interrupts=[after("JobStep", "SIGHUP", times=3)])
    assert ran.returncode == 0, ran.stderr
    assert latents(workspace, "closed") == whole


def test_stop_from_another_shell_and_the_next_run_goes_on(workspace, whole):
    path = manifest(workspace, "asked")
    with workspace.start("run", path, "--json") as process:
        next(line for line in process.stdout if json.loads(line)["event"] == "JobStep")
        asked = workspace.standin("stop", path)
        assert asked.returncode == 0, asked.stderr
        rest = [json.loads(line) for line in process.communicate(timeout=60)[0].splitlines()]
    assert process.returncode == 75
    assert rest[-1]["why"] == "standin stop"
    ran = workspace.standin("run", path)
    assert ran.returncode == 0, ran.stderr
    assert latents(workspace, "asked") == whole


@pytest.mark.timing
def test_a_deadline_stops_it_in_time_and_nothing_hopeless_is_begun(workspace):
    path = manifest(workspace, "deadline", matrix={"seed": "0..40"})
    start = time.monotonic()
    ran, events = run(workspace, path, "--max-time", "3s")
    assert ran.returncode == 75, ran.stderr
    assert time.monotonic() - start < 3 + GRACE
    assert events[-1]["why"] == "the deadline"
    assert events[-1]["remaining"] > 0
    ran, events = run(workspace, path, "--max-time", "0.01s")
    assert ran.returncode == 75
    assert steps(events) == []


def test_a_video_that_was_deleted_goes_on_where_it_was_saved_too(workspace, whole):
    """Its old record stays until its new video is there, and says nothing of what is saved."""
    path = manifest(workspace, "deleted")
    assert run(workspace, path)[0].returncode == 0
    (record,) = workspace.records("deleted")
    (workspace.folder / "outputs" / "deleted" / record["video"]).unlink()
    ran, _ = run(workspace, path, interrupts=[after("JobStep", "SIGTERM", times=5)])
    assert ran.returncode == 75
    ran, events = run(workspace, path)
    assert [event["event"] for event in events].count("JobResumed") == 1
    assert latents(workspace, "deleted") == whole


@pytest.mark.timing
def test_waiting_for_another_run_ends_with_its_time(workspace):
    path, start = manifest(workspace, "waiting"), time.monotonic()
    with held(OutputLayout(workspace.folder / "outputs" / "waiting").lock):
        ran, events = run(workspace, path, "--wait", "--max-time", "2s")
    assert ran.returncode == 75, ran.stderr
    assert time.monotonic() - start < 2 + GRACE
    assert "is at work" in events[-2]["message"]
    assert "the deadline" in events[-1]["message"]


@pytest.mark.parametrize("option", [["--deadline", "soon"], ["--max-time", "6"]], ids=" ".join)
def test_a_time_that_cannot_be_meant_is_refused(workspace, option):
    ran = workspace.standin("run", manifest(workspace, "when"), *option)
    assert ran.returncode == 2
    assert "for example" in ran.stderr
