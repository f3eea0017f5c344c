"""Nothing is taken for done that is not, and nothing is removed that somebody made."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

SMALL = {"num_inference_steps": 1, "num_frames": 5, "width": 64, "height": 64}


def trees(seeds="0..1", **output):
    job = {"name": "trees", "mode": "t2v", "prompt": {"text": "A tree."}, "matrix": {"seed": seeds}}
    return {"model": "tiny", "output": output, "defaults": SMALL, "jobs": [job]}


@pytest.fixture
def made(workspace):
    """A manifest whose two videos are made."""
    manifest = workspace.manifest("trees", trees())
    assert workspace.standin("run", manifest).returncode == 0
    return workspace, manifest, workspace.folder / "outputs" / "trees"


def test_gc_refuses_when_the_weights_are_others_or_not_here(made, golden):
    workspace, manifest, _ = made
    for checkpoints, code in ((golden / "weights", 2), (workspace.folder / "nowhere", 3)):
        ran = workspace.standin("dataset", "gc", manifest, "--yes", "--checkpoints", checkpoints)
        assert ran.returncode == code
        assert "--checkpoints" in ran.stderr
    assert len(workspace.records("trees")) == 2


def test_gc_in_the_folder_itself_lists_nothing_that_is_owned(made):
    *_, folder = made
    ran = subprocess.run(
        [sys.executable, "-m", "standin_batch", "dataset", "gc", ".", "--json"],
        cwd=folder,
        env={**os.environ, "STANDIN_CHECKPOINTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["files"] == []


def test_a_run_with_nothing_to_do_leaves_an_index_and_no_half_files(made):
    workspace, manifest, folder = made
    (folder / "index.jsonl").unlink()
    half = folder / "videos" / ".tmp-1-half.mp4"
    half.write_bytes(b"half")
    ran = workspace.standin("run", manifest)
    assert "nothing to do" in ran.stderr
    assert len((folder / "index.jsonl").read_text().splitlines()) == 2
    assert not half.exists()


def test_a_video_that_another_job_replaced_is_not_done(workspace):
    content = trees(template="{name}/{seed}")
    manifest = workspace.manifest("names", content)
    for steps in ("1", "2"):
        ran = workspace.standin("run", manifest, "--set", f"defaults.num_inference_steps={steps}")
        assert ran.returncode == 0, ran.stderr
    planned = json.loads(workspace.standin("plan", manifest, "--json").stdout)
    assert len(planned["jobs"]) == 2, "the videos of one step were replaced by those of two"
    assert {record["num_inference_steps"] for record in workspace.records("names")} == {2}


def test_links_do_not_lead_out_of_the_output_folder(workspace, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    videos = workspace.folder / "outputs" / "trees" / "videos"
    videos.mkdir(parents=True)
    (videos / "trees").symlink_to(outside)
    ran = workspace.standin("run", workspace.manifest("trees", trees()))
    assert ran.returncode == 3
    assert "through a link" in ran.stderr
    assert list(outside.iterdir()) == []


def test_a_reader_that_leaves_is_a_wish_to_stop(workspace):
    manifest = workspace.manifest("trees", trees("0..3"))
    with workspace.start("run", manifest, "--json") as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=120) == 75
    status = json.loads(workspace.standin("status", manifest, "--json").stdout)
    assert status["counts"]["FAILED"] == 0


def test_after_a_kill_the_next_run_goes_on(workspace):
    manifest = workspace.manifest("trees", trees("0..3"))
    with workspace.start("run", manifest, "--json") as process:
        for line in process.stdout:
            if json.loads(line)["event"] == "JobCompleted":
                process.send_signal(signal.SIGKILL)
                break
        process.wait(timeout=60)
    done = len(workspace.records("trees"))
    assert done >= 1
    again = workspace.standin("run", manifest)
    assert again.returncode == 0, again.stderr
    assert len(workspace.records("trees")) == 4
    folder = workspace.folder / "outputs" / "trees"
    assert len((folder / "index.jsonl").read_text().splitlines()) == 4
    assert not list(folder.rglob(".tmp-*"))
