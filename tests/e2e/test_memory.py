"""Running out of memory costs a job one rung of the ladder, and no bit; what shows nothing is no result."""

from __future__ import annotations

import json

import pytest

SMALL = {"num_inference_steps": 3, "num_frames": 5, "width": 64, "height": 64}


def manifest(workspace, name, model="tiny", **job):
    trees = {"name": "trees", "mode": "t2v", "prompt": {"text": "A tree."}, "matrix": {"seed": "0..2"}, **job}
    settings = {"model": model, "output": {"keep_latents": True}, "defaults": SMALL}
    return workspace.manifest(name, {**settings, "jobs": [trees]})


def latents(workspace, name):
    folder = workspace.folder / "outputs" / name
    return {record["job_id"]: (folder / record["latents"]).read_bytes() for record in workspace.records(name)}


def run(workspace, path, *options, **faults):
    ran = workspace.standin("run", path, "--json", *options, **faults)
    return ran, [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.fixture(scope="module")
def workspace(make_workspace):
    return make_workspace("memory")


@pytest.fixture(scope="module")
def whole(workspace):
    ran, _ = run(workspace, manifest(workspace, "whole"))
    assert ran.returncode == 0, ran.stderr
    return latents(workspace, "whole")


SOME = 15
"""An attention in the midst of the first job."""


def test_a_job_that_runs_out_of_memory_goes_on_with_less(workspace, whole):
    faults = {"kind": "memory", "calls": [SOME]}
    ran, events = run(workspace, manifest(workspace, "once"), faults=faults)
    assert ran.returncode == 0, ran.stderr
    (requeued,) = [event for event in events if event["event"] == "JobRequeued"]
    assert (requeued["kind"], requeued["memory"]) == ("out_of_memory", "offload")
    steps = [event["step"] for event in events if event["event"] == "JobStep"]
    assert steps == [1, 2, 3] * 3, "no step is done again"
    assert latents(workspace, "once") == whole
    assert [record["memory"] for record in workspace.records("once")] == ["offload"] * 3, "the others are as large"


def test_one_rung_for_each_time_and_then_it_has_failed(workspace, whole):
    faults = {"kind": "memory", "calls": [SOME, SOME + 1, SOME + 2]}
    ran, events = run(workspace, manifest(workspace, "thrice"), faults=faults)
    assert ran.returncode == 1, ran.stderr
    assert [event["memory"] for event in events if event["event"] == "JobRequeued"] == ["offload", "lowest"]
    (failed,) = [event for event in events if event["event"] == "JobFailed"]
    assert failed["kind"] == "out_of_memory"
    made = latents(workspace, "thrice")
    assert made == {key: whole[key] for key in made}
    assert len(made) == 2, "the run went on"
    ran, _ = run(workspace, manifest(workspace, "thrice"))
    assert ran.returncode == 0, "and the next one tries again"
    assert latents(workspace, "thrice") == whole


@pytest.mark.parametrize(
    ("model", "profile"),
    [
        ("tiny", "lowest"),
        pytest.param("tiny", "offload", marks=pytest.mark.slow),
        pytest.param("tiny-2.2", "lowest", marks=pytest.mark.slow),
    ],
)
def test_every_profile_makes_the_same_to_the_bit(workspace, manifests, golden, model, profile):
    cat = {"image": str(manifests / "faces" / "chelsea.png"), "kind": "subject"}
    rest = {"identity": cat, "loras": [str(golden / "weights" / "loras" / "style_high.safetensors")], "matrix": {}}
    jobs = {"mode": "vace", "reference_image": cat["image"]} if model == "tiny" else {}
    made = []
    for memory in ("resident", profile):
        name = f"{model}-{profile}-{memory}"
        ran, _ = run(workspace, manifest(workspace, name, model, **rest, **jobs), "--memory", memory)
        assert ran.returncode == 0, ran.stderr
        assert [record["memory"] for record in workspace.records(name)] == [memory]
        made.append(latents(workspace, name))
    assert made[0] == made[1]


@pytest.mark.parametrize(("what", "kind"), [("nan", "not_a_number"), ("constant", "constant_video")])
def test_what_shows_nothing_is_a_failure_of_its_own_kind(workspace, what, kind):
    path = manifest(workspace, what, matrix={})
    ran, events = run(workspace, path, faults={"kind": "spoil", "what": what})
    assert ran.returncode == 1, ran.stderr
    (failed,) = [event for event in events if event["event"] == "JobFailed"]
    assert failed["kind"] == kind
    assert "another seed" in failed["hint"]
    assert workspace.records(what) == []
    assert not list((workspace.folder / "outputs" / what / ".standin" / "saved").glob("*"))
    ran, events = run(workspace, path)
    assert ran.returncode == 1, "it would be the same again"
    assert not [event for event in events if event["event"] == "JobStarted"]
    ran, _ = run(workspace, path, "--retry-failed")
    assert ran.returncode == 0, ran.stderr


def test_a_run_ends_when_as_many_have_failed_as_may(workspace):
    path = manifest(workspace, "enough")
    for option, failed in ((("--fail-fast",), 1), (("--max-failures", 2), 2), (("--set", "run.max_failures=2"), 2)):
        ran, events = run(workspace, path, *option, "--force", faults={"kind": "spoil", "what": "constant"})
        assert ran.returncode == 1, ran.stderr
        assert (events[-1]["failed"], events[-1]["why"]) == (failed, "max_failures")


@pytest.mark.gpu
def test_on_a_gpu_running_out_is_real_and_every_profile_makes_the_same(workspace):
    """Between the peaks of the highest and the lowest profile there is a size that only the lower ones fit."""
    made, peaks = {}, {}
    for memory in ("resident", "offload", "lowest"):
        ran, _ = run(workspace, manifest(workspace, f"gpu-{memory}"), "--device", "cuda", "--memory", memory)
        assert ran.returncode == 0, ran.stderr
        made[memory] = latents(workspace, f"gpu-{memory}")
        peaks[memory] = max(record["peak_memory"] for record in workspace.records(f"gpu-{memory}"))
    assert made["resident"] == made["offload"] == made["lowest"]
    assert peaks["lowest"] < peaks["resident"]
    size = (peaks["lowest"] + peaks["resident"]) // 2
    ran, events = run(
        workspace, manifest(workspace, "gpu-small"), "--device", "cuda", faults={"kind": "small_gpu", "size": size}
    )
    assert ran.returncode == 0, ran.stderr
    assert {event["kind"] for event in events if event["event"] == "JobRequeued"} <= {"out_of_memory"}
    assert latents(workspace, "gpu-small") == made["resident"]
    assert {record["memory"] for record in workspace.records("gpu-small")} <= {"offload", "lowest"}
