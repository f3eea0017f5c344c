"""Writes that fail: the disk errs, takes half, or is full. Nothing half-written is left, and nothing is lost."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

SMALL = {"num_inference_steps": 2, "num_frames": 5, "width": 64, "height": 64}

SEEDS = range(6)


def trees(workspace, name, seeds="0..3", **content):
    job = {"name": "trees", "mode": "t2v", "prompt": {"text": "A tree."}, "matrix": {"seed": seeds}}
    settings = {"model": "tiny", "run": {"checkpoint_every": 1}, "output": {"keep_latents": True}, "defaults": SMALL}
    return workspace.manifest(name, {**settings, "jobs": [job], **content})


def outcome(folder):
    """Latents and videos of all jobs that are done."""
    records = [json.loads(path.read_text()) for path in (folder / "records").glob("[!.]*.json")]
    return {
        record["job_id"]: ((folder / record["latents"]).read_bytes(), (folder / record["video"]).read_bytes())
        for record in records
    }


@pytest.fixture(scope="module")
def workspace(make_workspace):
    return make_workspace("faults")


@pytest.fixture(scope="module")
def whole(workspace):
    """What comes out when nothing fails, and how many files are written for it."""
    manifest, writes = trees(workspace, "whole"), workspace.folder / "writes"
    refuse = {"kind": "refuse", "calls": {}, "below": str(workspace.folder / "outputs"), "done": str(writes)}
    ran = workspace.standin("run", manifest, faults=refuse)
    assert ran.returncode == 0, ran.stderr
    return outcome(workspace.folder / "outputs" / "whole"), len(writes.read_text().splitlines())


@pytest.mark.parametrize("seed", [seed if seed < 1 else pytest.param(seed, marks=pytest.mark.slow) for seed in SEEDS])
def test_wherever_writing_fails_the_same_comes_out(workspace, whole, seed):
    drawn, name = random.Random(seed), f"faults-{seed}"
    manifest, folder = trees(workspace, name), workspace.folder / "outputs" / name
    expected, writes = whole
    for _ in range(4):
        calls = {drawn.randint(1, writes): drawn.choice(["error", "short", "full"]) for _ in range(3)}
        refuse = {"kind": "refuse", "calls": calls, "below": str(folder), "done": f"{folder}-writes"}
        ran = workspace.standin("run", manifest, faults=refuse)
        assert "Traceback" not in ran.stderr
        assert ran.returncode in (0, 1, 3), ran.stderr
        assert not list(folder.rglob(".tmp-*")), "nothing half-written is left"
        assert set(outcome(folder).items()) <= set(expected.items()), "what is done is right"
    ran = workspace.standin("run", manifest)
    assert ran.returncode == 0, ran.stderr
    assert outcome(folder) == expected


@pytest.mark.parametrize("fault", ["short", pytest.param("error", marks=pytest.mark.slow)])
def test_a_fault_that_passes_is_tried_again_in_the_same_run(workspace, whole, fault):
    manifest, folder = trees(workspace, f"passes-{fault}"), workspace.folder / "outputs" / f"passes-{fault}"
    expected, writes = whole
    calls = dict.fromkeys((writes // 2, writes // 2 + 4), fault)
    refuse = {"kind": "refuse", "calls": calls, "below": str(folder), "done": f"{folder}-writes"}
    ran = workspace.standin("run", manifest, "--json", faults=refuse)
    assert ran.returncode == 0, ran.stderr
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert {event["kind"] for event in events if event["event"] == "JobRequeued"} == {"io"}
    assert outcome(folder) == expected


@pytest.fixture
def small_disk(workspace):
    """A disk of eight megabytes in the place of the output folder."""
    folder = workspace.folder / "outputs" / "full"
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", folder]
    mounted = subprocess.run(mount, check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("no file systems may be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)
    shutil.rmtree(folder)


def test_a_full_disk_ends_the_run_with_3_and_it_goes_on_when_there_is_room(workspace, whole, small_disk):
    manifest = trees(workspace, "full")
    ballast = small_disk / "ballast"
    free = shutil.disk_usage(small_disk).free
    ballast.write_bytes(bytes(free - 1_130_000))
    ran = workspace.standin("run", manifest, "--json")
    assert ran.returncode == 3, ran.stderr
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert events[-1]["why"] == "disk_full"
    (failed,) = [event for event in events if event["event"] == "JobFailed"]
    assert failed["kind"] == "disk_full"
    assert "make room" in failed["hint"]
    assert not list(small_disk.rglob(".tmp-*"))
    ballast.unlink()
    again = workspace.standin("run", manifest)
    assert again.returncode == 0, again.stderr
    assert outcome(small_disk) == whole[0]


def test_a_disk_that_will_not_do_for_all_is_told_before(workspace, small_disk):
    manifest = trees(workspace, "full", output={"lossless": True}, defaults={**SMALL, "width": 800, "height": 800})
    ran = workspace.standin("run", manifest)
    assert "these videos take" in ran.stderr
    assert ran.returncode == 3, "one of them takes more than there is"


def test_a_video_that_cannot_be_written_is_neither_denoised_nor_decoded_again(workspace, whole):
    """The frames are kept, so the next run only writes."""
    name = "frames"
    manifest, folder = trees(workspace, name, [0]), workspace.folder / "outputs" / name
    (folder / "videos").mkdir(parents=True)
    (folder / "videos" / "trees").write_text("a file where a folder should be")
    ran = workspace.standin("run", manifest, "--set", "defaults.retries=0", "--json")
    assert ran.returncode == 1, ran.stderr
    (folder / "videos" / "trees").unlink()
    again = workspace.standin("run", manifest, "--json")
    assert again.returncode == 0, again.stderr
    kinds = [json.loads(line)["event"] for line in again.stdout.splitlines()]
    assert "JobStep" not in kinds
    assert "JobResumed" in kinds
    ((job_id, made),) = outcome(folder).items()
    assert made == whole[0][job_id]
    assert not Path(folder / ".standin" / "saved" / f"{job_id}.safetensors").exists()
