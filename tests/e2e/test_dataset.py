"""What is made from the records: the index, the lock file, and what belongs to no job; and watching a run."""

from __future__ import annotations

import json
import shutil

import pyarrow.parquet as pq
import pytest
import yaml

JOB = {"name": "portraits", "mode": "t2v", "num_inference_steps": 1, "num_frames": 5}
TINY = {"defaults": {"width": 32, "height": 32}}


@pytest.fixture
def finished(quickstart, workspace):
    """A copy of the quick start's output, to do with as one likes."""
    shutil.copytree(quickstart[0].folder / "outputs", workspace.folder / "outputs", symlinks=True)
    return workspace


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_index_comes_back_from_the_records_alone(finished):
    folder = finished.folder / "outputs" / "quickstart"
    before = {name: (folder / name).read_bytes() for name in ("index.jsonl", "index.parquet", "metadata.jsonl")}
    for name in before:
        (folder / name).unlink()
    assert finished.standin("dataset", "index", "outputs/quickstart").returncode == 0
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert pq.read_table(folder / "index.parquet").num_rows == 8


def test_a_folder_that_is_not_there_has_no_index(workspace):
    ran = workspace.standin("dataset", "index", workspace.manifest("none", {"jobs": [{**JOB, "prompt": "A man."}]}))
    assert ran.returncode == 2
    assert "there is no output folder" in ran.stderr


def test_the_gallery_comes_from_the_records_with_the_posters_that_are_missing(finished):
    folder = finished.folder / "outputs" / "quickstart"
    for path in (folder / "posters").glob("*"):
        path.unlink()
    ran = finished.standin("dataset", "gallery", "outputs/quickstart", "--json")
    told = json.loads(ran.stdout)
    assert (told["rows"], told["failed"], told["posters"]) == (8, 0, 8)
    assert told["gallery"] == str((folder / "gallery.html").resolve())
    subjects = {path.name for path in (folder / ".standin" / "subjects").iterdir()}
    page = (folder / "gallery.html").read_text()
    assert len(subjects) == 2
    assert all(f".standin/subjects/{name}" in page for name in subjects)
    again = finished.standin("dataset", "gallery", "outputs/quickstart")
    assert again.stdout == f"{told['gallery']}\n"
    assert "8 videos, 0 failed jobs" in again.stderr


def test_the_lock_file_is_the_same_run(finished, manifests):
    lock = finished.folder / "outputs" / "quickstart" / "manifest.lock.yaml"
    # The copy's lock still names the folder that it was copied from.
    lock.write_text(lock.read_text().replace(yaml.safe_load(lock.read_text())["output"]["folder"], str(lock.parent)))
    assert finished.standin("validate", lock).returncode == 0
    ran = finished.standin("run", lock)
    assert ran.returncode == 0
    assert "nothing to do" in ran.stderr


def test_nothing_of_a_finished_run_is_garbage(finished, manifests):
    ran = finished.standin("dataset", "gc", manifests / "quickstart.yaml", "--json")
    assert json.loads(ran.stdout) == {"folder": "outputs/quickstart", "files": [], "bytes": 0, "removed": 0}


def test_what_a_changed_manifest_leaves_behind_is_listed_then_removed(finished, manifests):
    folder = finished.folder / "outputs" / "quickstart"
    command = ("dataset", "gc", manifests / "quickstart.yaml", "--set", "jobs.portraits.seed=[0]")
    before = files(folder)
    listed = finished.standin(*command, "--json")
    assert len(json.loads(listed.stdout)["files"]) == 12, "records, videos and posters of four clips"
    assert files(folder) == before
    removed = finished.standin(*command, "--yes")
    assert removed.returncode == 0
    assert "12 files removed" in removed.stderr
    assert len(before - files(folder)) == 12
    assert {row["seed"] for row in map(json.loads, (folder / "index.jsonl").read_text().splitlines())} == {0}


def test_a_folder_is_taken_with_its_lock_file(finished):
    folder = finished.folder / "outputs" / "quickstart"
    (folder / "videos" / "portraits" / "orphan.mp4").write_bytes(b"123")
    ran = finished.standin("dataset", "gc", "outputs/quickstart", "--yes", "--json")
    assert json.loads(ran.stdout)["files"] == [
        {"path": "videos/portraits/orphan.mp4", "kind": "video", "bytes": 3, "removed": True}
    ]
    (folder / "manifest.lock.yaml").unlink()
    assert finished.standin("dataset", "gc", "outputs/quickstart").returncode == 2


def test_random_seeds_are_drawn_once(workspace):
    job = {**JOB, "seed": "random", "matrix": {"prompt": ["A man walks.", "A man runs."]}}
    manifest = workspace.manifest("drawn", {**TINY, "jobs": [job]})
    planned = [json.loads(workspace.standin("plan", manifest, "--json").stdout)["jobs"] for _ in range(2)]
    assert planned[0] != planned[1], "a plan draws, but keeps nothing"
    assert not (workspace.folder / "outputs").exists()
    assert workspace.standin("dataset", "gc", manifest).returncode == 2

    assert workspace.standin("run", manifest).returncode == 0
    seeds = {record["seed"] for record in workspace.records("drawn")}
    assert len(seeds) == 2
    for again in (manifest, "outputs/drawn/manifest.lock.yaml"):
        assert "nothing to do" in workspace.standin("run", again).stderr
    lock = yaml.safe_load((workspace.folder / "outputs" / "drawn" / "manifest.lock.yaml").read_text())
    assert {row["seed"] for row in lock["jobs"][0]["matrix"]["include"]} == seeds
    assert json.loads(workspace.standin("dataset", "gc", manifest, "--json").stdout)["files"] == []


@pytest.mark.slow
def test_watching_ends_with_the_run(workspace):
    """Every look is a line; the last one has nothing left to do."""
    manifest = workspace.manifest(
        "watched", {**TINY, "jobs": [{**JOB, "prompt": "A man.", "matrix": {"seed": "0..2"}}]}
    )
    run = workspace.start("run", manifest, "--quiet")
    journals = workspace.folder / "outputs" / "watched" / ".standin" / "journal"
    while run.poll() is None and not list(journals.glob("*.jsonl")):
        pass
    watched = workspace.standin("status", manifest, "--watch", "--interval", "0.1", "--json")
    looks = [json.loads(line) for line in watched.stdout.splitlines()]
    assert run.communicate() and run.returncode == 0
    assert [look["active"] for look in looks[-1:]] == [False]
    assert looks[-1]["counts"] == {
        "COMPLETED": 3,
        "RUNNING": 0,
        "REQUEUED": 0,
        "FAILED": 0,
        "CANCELLED": 0,
        "PENDING": 0,
    }
    assert all(sum(look["counts"].values()) == 3 for look in looks)
