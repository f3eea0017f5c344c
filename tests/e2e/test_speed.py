"""`speed:` from the command line: what it makes another, what is told of it, and a stop among skipped steps."""

from __future__ import annotations

import json

import pytest
from safetensors.torch import load_file

STEPS = 60
CACHE = {"cache": 0.4}


@pytest.fixture(scope="module")
def workspace(make_workspace):
    return make_workspace("speed")


def manifest(workspace, name, jobs, **defaults):
    small = {"mode": "t2v", "num_inference_steps": STEPS, "num_frames": 5, "width": 64, "height": 64, **defaults}
    tree = {"prompt": {"text": "A tree."}}
    content = {"model": "tiny", "output": {"keep_latents": True}, "run": {"checkpoint_every": 1}, "defaults": small}
    return workspace.manifest(name, {**content, "jobs": [{"name": job, **tree, **keys} for job, keys in jobs.items()]})


def run(workspace, path, *options, **faults):
    ran = workspace.standin("run", path, "--json", *options, **faults)
    return ran, [json.loads(line) for line in ran.stdout.splitlines()]


def latents(workspace, name):
    folder = workspace.folder / "outputs" / name
    return {record["name"]: (folder / record["latents"]).read_bytes() for record in workspace.records(name)}


def reports(workspace, name):
    return {record["name"]: record["report"] for record in workspace.records(name)}


@pytest.fixture(scope="module")
def made(workspace):
    """One clip exact, one with steps skipped, one with both said by the defaults and one taken back."""
    path = manifest(workspace, "made", {"exact": {"speed": None}, "cached": {}}, speed=CACHE)
    ran, events = run(workspace, path)
    assert ran.returncode == 0, ran.stderr
    return path, events


def test_the_record_the_index_and_the_metadata_say_it(workspace, made):
    records = {record["name"]: record["speed"] for record in workspace.records("made")}
    assert records == {"exact": "exact", "cached": "teacache 0.4"}
    lines = (workspace.folder / "outputs" / "made" / "metadata.jsonl").read_text().splitlines()
    assert {row["name"]: row["speed"] for row in map(json.loads, lines)} == records


def test_it_is_another_clip_and_no_error_is_hidden(workspace, made):
    folder = workspace.folder / "outputs" / "made"
    found = {record["name"]: load_file(folder / record["latents"])["latents"] for record in workspace.records("made")}
    error = (found["cached"] - found["exact"]).norm() / found["exact"].norm()
    assert 0 < error < 1


def test_the_plan_says_what_changed(workspace, made):
    ran = workspace.standin("plan", made[0], "--json", "--set", "defaults.speed.cache=0.1")
    reasons = {job["name"]: job["changes"] for job in json.loads(ran.stdout)["jobs"]}
    assert reasons == {"cached": ["speed teacache 0.4 -> teacache 0.1"]}


def test_the_lock_file_makes_the_same_clips(workspace, made):
    lock = workspace.folder / "outputs" / "made" / "manifest.lock.yaml"
    ran, events = run(workspace, lock)
    assert ran.returncode == 0, ran.stderr
    assert not [event for event in events if event["event"] == "JobStep"]


def test_a_stop_among_skipped_steps_loses_only_those_and_no_bit(workspace, made):
    path = manifest(workspace, "stopped", {"cached": {}}, speed=CACHE)
    stop = {"after": '"event": "JobStep"', "times": 7, "signal": "SIGTERM"}
    ran, events = run(workspace, path, interrupts=[stop])
    assert ran.returncode == 75, ran.stderr
    saved = [event["step"] for event in events if event["event"] == "JobSaved"]
    steps = [event["step"] for event in events if event["event"] == "JobStep"]
    assert len(set(saved)) < len(steps), "several steps go on from one"
    ran, events = run(workspace, path)
    assert ran.returncode == 0, ran.stderr
    resumed = [event["step"] for event in events if event["event"] == "JobResumed"]
    assert resumed == saved[-1:]
    assert latents(workspace, "stopped")["cached"] == latents(workspace, "made")["cached"]
    (stopped,), made = reports(workspace, "stopped").values(), reports(workspace, "made")
    assert stopped == made["cached"] and stopped["skipped_steps"] > 0
    assert made["exact"] == {}


@pytest.mark.parametrize(("speed", "package"), [({"fp8": True}, "fp8"), ({"attention": "sage"}, "sage")])
def test_what_this_machine_cannot_do_ends_the_run_before_it_begins(workspace, speed, package):
    path = manifest(workspace, f"not-{package}", {"a": {"speed": speed}}, dtype="bfloat16")
    ran, events = run(workspace, path, "--device", "cpu")
    assert ran.returncode == 3
    assert package in ran.stderr
    assert "--device cuda:N" in ran.stderr and "install" not in ran.stderr, "no package makes a GPU of this"
    assert not any("loading" in event.get("what", "") for event in events)
    assert not (workspace.folder / "outputs" / f"not-{package}" / "videos").exists()
    doctor = workspace.standin("doctor", path)
    assert package in doctor.stdout + doctor.stderr


def test_a_turbo_is_recorded_as_what_it_stands_for(workspace, golden):
    lora = str(golden / "weights" / "loras" / "style.safetensors")
    path = manifest(workspace, "turbo", {"quick": {"speed": {"turbo": {"lora": lora, "scale": 0.5}}}})
    ran, _ = run(workspace, path)
    assert ran.returncode == 0, ran.stderr
    (record,) = workspace.records("turbo")
    assert (record["num_inference_steps"], record["cfg_scale"], record["sigma_shift"]) == (4, [1.0], 5.0)
    assert [(used["name"], used["scale"]) for used in record["loras"]] == [("style", 0.5)]
    assert record["speed"] == "exact"
