"""What belongs to no job: found by name, removed on request, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from standin_batch.output.garbage import find_garbage, remove_garbage
from standin_batch.output.layout import OutputLayout


@pytest.fixture
def layout(tmp_path):
    found = OutputLayout(tmp_path / "out")
    for folder in (found.records, found.videos / "portraits", found.posters, found.latents_folder):
        folder.mkdir(parents=True)
    return found


def finish(layout, job_id):
    """What a finished job leaves."""
    (layout.videos / "portraits" / f"{job_id}.mp4").write_bytes(b"12345")
    layout.latents(job_id).write_bytes(b"123")
    layout.poster(job_id).write_bytes(b"1")
    layout.record(job_id).write_text(json.dumps({"job_id": job_id, "video": f"videos/portraits/{job_id}.mp4"}))


def paths(found):
    return [item.path for item in found]


@pytest.fixture
def gone():
    """The id of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_what_a_job_owns_is_none(layout):
    finish(layout, "mine")
    assert find_garbage(layout, {"mine", "not yet"}) == ()


def test_all_that_another_job_made_is(layout):
    finish(layout, "mine")
    finish(layout, "other")
    found = find_garbage(layout, {"mine"})
    assert {(item.path, item.kind) for item in found} == {
        ("latents/other.safetensors", "latents"),
        ("posters/other.webp", "poster"),
        ("records/other.json", "record"),
        ("videos/portraits/other.mp4", "video"),
    }
    assert {item.kind: item.bytes for item in found}["video"] == 5


def test_a_clip_on_its_way_is_its_jobs_own(layout):
    layout.saved.mkdir(parents=True)
    for job_id in ("mine", "other"):
        layout.saved_state(job_id).write_bytes(b"1234")
    assert paths(find_garbage(layout, {"mine"})) == [".standin/saved/other.safetensors"]


def test_a_video_without_record_is_and_so_is_a_record_that_cannot_be_read(layout):
    finish(layout, "mine")
    layout.record("mine").write_text("{")
    assert paths(find_garbage(layout, {"mine"})) == [
        "latents/mine.safetensors",
        "posters/mine.webp",
        "records/mine.json",
        "videos/portraits/mine.mp4",
    ]


def test_temporary_files_are_once_their_writer_is_gone(layout, gone):
    for pid in (gone, os.getpid()):
        (layout.videos / f".tmp-{pid}-a.mp4").touch()
    assert paths(find_garbage(layout, set())) == [f"videos/.tmp-{gone}-a.mp4"]


def test_files_that_others_put_there_are_not(layout):
    for name in ("notes.txt", "index.jsonl", "videos/notes.txt", "videos/.hidden.mp4", "records/notes.md", "a.mp4"):
        (layout.folder / name).touch()
    assert find_garbage(layout, set()) == ()


def test_links_are_neither_followed_nor_removed(layout, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "film.mp4").touch()
    (layout.videos / "linked").symlink_to(outside)
    (layout.videos / "film.mp4").symlink_to(outside / "film.mp4")
    layout.latents_folder.rmdir()
    layout.latents_folder.symlink_to(outside)
    (outside / "a.safetensors").touch()
    assert find_garbage(layout, set()) == ()


def test_removing_leaves_what_is_owned_and_no_empty_folder(layout):
    finish(layout, "mine")
    finish(layout, "other")
    (layout.videos / "old").mkdir()
    (layout.videos / "portraits" / "other.mp4").rename(layout.videos / "old" / "other.mp4")
    assert remove_garbage(layout, find_garbage(layout, {"mine"})) == ()
    kept = {layout.relative(path) for path in layout.folder.rglob("*") if path.is_file()}
    assert kept == {
        *("records/mine.json", "videos/portraits/mine.mp4", "posters/mine.webp", "latents/mine.safetensors"),
    }
    assert not (layout.videos / "old").exists()
    assert find_garbage(layout, {"mine"}) == ()


def test_a_folder_that_became_a_link_in_between_is_left_alone(layout, tmp_path):
    finish(layout, "other")
    found = find_garbage(layout, set())
    (layout.videos / "portraits").rename(tmp_path / "moved")
    (layout.videos / "portraits").symlink_to(tmp_path / "moved")
    assert paths(remove_garbage(layout, found)) == ["videos/portraits/other.mp4"]
    assert (tmp_path / "moved" / "other.mp4").exists()
