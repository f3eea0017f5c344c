"""`standin why`: one job, from the real command line."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from PIL import Image

HEAVY = ("torch", "diffsynth", "transformers", "onnxruntime", "insightface", "cv2")


@pytest.fixture(scope="module")
def failed(make_workspace):
    """A manifest with a photograph without a face, and a job that never ran, run once."""
    workspace = make_workspace("why")
    Image.new("RGB", (320, 240), "lightblue").save(workspace.folder / "sky.png")
    job = {"mode": "t2v", "prompt": {"text": "A person sits at a desk."}, "identity": "sky"}
    content = {
        "model": "tiny",
        "defaults": {"num_inference_steps": 1, "num_frames": 5},
        "identities": {"sky": "sky.png"},
        "jobs": [{"name": "first", **job}, {"name": "later", "seed": 7, **job}],
    }
    manifest = workspace.manifest("faces", content)
    ran = workspace.standin("run", manifest, "--only", "first")
    assert ran.returncode == 1, ran.stderr
    return workspace, manifest


def test_a_finished_job_says_where_its_video_is_and_what_it_took(quickstart):
    workspace, _ = quickstart
    folder = workspace.folder / "outputs" / "quickstart"
    record = workspace.records("quickstart")[0]
    ran = workspace.standin("why", folder, record["job_id"][:12], "--json")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert (told["job_id"], told["state"], told["seconds"]) == (record["job_id"], "COMPLETED", record["seconds"])
    assert (folder / told["video"]).is_file()
    assert [attempt["state"] for attempt in told["attempts"]] == ["COMPLETED"]

    shown = workspace.standin("why", folder, *told["label"].split(" · ")).stdout
    assert str(folder / record["video"]) in shown
    assert "denoise" in shown


def test_several_jobs_are_listed(quickstart, manifests):
    workspace, _ = quickstart
    ran = workspace.standin("why", manifests / "quickstart.yaml", "astronaut")
    records = [record for record in workspace.records("quickstart") if record["identity"] == "astronaut"]
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert len(records) > 1
    assert all(record["job_id"] in ran.stderr for record in records)


def test_a_job_that_is_not_there_says_which_are(quickstart):
    workspace, _ = quickstart
    ran = workspace.standin("why", workspace.folder / "outputs" / "quickstart", "astronauts", "portrait")
    assert ran.returncode == 2
    assert "no job answers to 'astronauts portrait'" in ran.stderr
    assert "astronaut · " in ran.stderr


def test_a_failed_job_says_why_and_what_to_do(failed):
    workspace, manifest = failed
    told = json.loads(workspace.standin("why", manifest, "first", "--json").stdout)
    assert (told["state"], told["kind"]) == ("FAILED", "input")
    assert "sky.png" in told["error"]
    assert "on_no_face" in told["cure"]
    assert "--retry-failed" in told["told"]
    assert [attempt["error"] for attempt in told["attempts"]] == [told["error"]]

    ran = workspace.standin("why", "outputs/faces", "first")
    assert ran.returncode == 0, ran.stderr
    assert told["error"] in ran.stdout
    assert "NoFaceError" not in ran.stdout, "the picture is at fault: nobody asks for the traceback"
    assert "NoFaceError" in workspace.standin("why", "outputs/faces", "first", "--log").stdout
    assert "Traceback" in workspace.standin("why", "outputs/faces", "first", "--log").stdout


def test_a_job_that_no_run_has_come_to_is_known_from_the_manifest(failed):
    workspace, manifest = failed
    told = json.loads(workspace.standin("why", manifest, "later", "seed", "7", "--json").stdout)
    assert (told["state"], told["reason"], told["attempts"]) == ("PENDING", "new", [])
    by_id = json.loads(workspace.standin("why", "outputs/faces", told["job_id"], "--json").stdout)
    assert (by_id["state"], by_id["told"]) == ("PENDING", "no run has come to it yet")


def test_without_weights_what_runs_have_left_is_told_all_the_same(failed):
    workspace, manifest = failed
    ran = workspace.standin("why", manifest, "first", "--checkpoints", workspace.folder / "nowhere")
    assert ran.returncode == 0, ran.stderr
    assert "FAILED" in ran.stdout


def test_it_never_imports_torch(failed):
    workspace, manifest = failed
    command = [sys.executable, "-X", "importtime", "-m", "standin_batch", "why", str(manifest), "first"]
    ran = subprocess.run(command, cwd=workspace.folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    imported = {line.split("|")[-1].strip().split(".")[0] for line in ran.stderr.splitlines() if "import time:" in line}
    assert imported.isdisjoint(HEAVY)
