"""What re-runs and why: content decides, not names, places or dates."""

from __future__ import annotations

import json
import os

import pytest
from PIL import Image

CONTENT = {
    "model": "tiny",
    "defaults": {"num_inference_steps": 1, "num_frames": 5, "width": 64, "height": 64},
    "identities": {"toy": {"image": "toy.png", "kind": "subject"}},
    "prompts": {"sit": "Somebody sits."},
    "jobs": [
        {"name": "toys", "mode": "t2v", "identity": "toy", "prompt": "sit", "matrix": {"seed": "0..1"}},
        {"name": "plain", "mode": "t2v", "prompt": {"text": "A tree."}},
    ],
}


@pytest.fixture(scope="module")
def done(make_workspace):
    """A manifest whose three videos are made; tests put back what they change."""
    workspace = make_workspace("reasons")
    Image.new("RGB", (64, 64), "teal").save(workspace.folder / "toy.png")
    ran = workspace.standin("run", workspace.manifest("reasons", CONTENT))
    assert ran.returncode == 0, ran.stderr
    return workspace


def plan(workspace, content=CONTENT, *arguments):
    ran = workspace.standin("plan", workspace.manifest("reasons", content), "--json", *arguments)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)["jobs"]


def test_touching_renaming_and_moving_re_run_nothing(done):
    image = done.folder / "toy.png"
    os.utime(image, (1_000_000, 1_000_000))
    assert plan(done) == []
    moved = done.folder / "elsewhere.png"
    image.rename(moved)
    renamed = {**CONTENT, "identities": {"toy": {"image": "elsewhere.png", "kind": "subject"}}}
    assert plan(done, renamed) == []
    moved.rename(image)


def test_one_byte_of_an_image_re_runs_its_jobs_and_says_so(done):
    image = done.folder / "toy.png"
    before = image.read_bytes()
    image.write_bytes(before + b"\0")
    found = plan(done)
    image.write_bytes(before)
    assert [job["name"] for job in found] == ["toys", "toys"]
    assert {job["reason"] for job in found} == {"changed"}
    assert all("image of identity toy" in json.dumps(job["changes"]) for job in found)


def test_a_changed_prompt_re_runs_its_jobs_and_says_so(done):
    found = plan(done, {**CONTENT, "prompts": {"sit": "Somebody stands."}})
    assert [(job["name"], job["reason"]) for job in found] == [("toys", "changed")] * 2
    assert all("prompt" in json.dumps(job["changes"]) for job in found)


def test_a_changed_default_re_runs_all_and_says_from_what_to_what(done):
    found = plan(done, CONTENT, "--set", "defaults.num_inference_steps=2")
    assert len(found) == 3
    assert all("num_inference_steps 1 -> 2" in json.dumps(job["changes"]) for job in found)


def test_labels_quality_and_priority_re_run_nothing(done):
    jobs = [{**job, "priority": 5} for job in CONTENT["jobs"]]
    assert plan(done, {**CONTENT, "output": {"quality": 3}, "jobs": jobs}) == []


def test_the_lock_file_is_the_same_run(done):
    lock = done.folder / "outputs" / "reasons" / "manifest.lock.yaml"
    ids = {record["job_id"] for record in done.records("reasons")}
    planned = json.loads(done.standin("plan", lock, "--force", "--json").stdout)
    assert {job["job_id"] for job in planned["jobs"]} == ids
    assert "nothing to do" in done.standin("run", lock).stderr


def test_a_preview_is_made_beside_the_output(done):
    manifest = done.manifest("reasons", CONTENT)
    ran = done.standin("run", manifest, "--preview")
    assert ran.returncode == 0, ran.stderr
    assert len(done.records("reasons-preview")) == 2, "one with the identity, one without"
    assert len(done.records("reasons")) == 3


def test_limit_and_only(done):
    assert len(plan(done, CONTENT, "--force", "--limit", "2")) == 2
    assert [job["name"] for job in plan(done, CONTENT, "--force", "--only", "plain")] == ["plain"]
