"""The folder that weights are copied to: whole files only, one process at a time, and room for what is to come."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from standin_batch.digests import DigestCache
from standin_batch.files import sha256_file
from standin_batch.weights.stage import Bundle, Stage, StageError

HOUR_AGO = 1_700_000_000

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def shared(tmp_path):
    """Makes files on the disk that all nodes share."""

    def make(name: str, content: bytes = b"weights") -> Path:
        path = tmp_path / "shared" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (HOUR_AGO, HOUR_AGO))
        return path

    return make


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path / "scratch" / "weights", DigestCache(tmp_path / "digests.jsonl"))


def copied(stage: Stage, *paths: Path) -> Bundle:
    bundle = Bundle.of(paths)
    with stage.held(lambda _: pytest.fail("nobody else is here")):
        stage.copy(bundle)
    return bundle


def free(monkeypatch, size: int) -> None:
    """Let the disk have so many bytes left."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(size, 0, size))


def test_a_copy_has_name_content_and_time_of_its_original(stage, shared):
    path = shared("a.safetensors", b"tensors")
    bundle = copied(stage, path)
    found = stage.place(bundle) / "a.safetensors"
    assert stage.has(bundle)
    assert found.read_bytes() == b"tensors"
    assert found.stat().st_mtime_ns == path.stat().st_mtime_ns


def test_files_that_belong_together_lie_together(stage, shared):
    bundle = copied(stage, shared("tokenizer/a.json"), shared("tokenizer/b.json"))
    assert sorted(path.name for path in stage.place(bundle).iterdir()) == ["a.json", "b.json"]


def test_the_name_of_a_link_is_kept_and_its_target_copied(stage, shared, tmp_path):
    link = tmp_path / "model.safetensors"
    link.symlink_to(shared("blobs/0123abcd", b"blob"))
    copy = stage.place(copied(stage, link)) / "model.safetensors"
    assert copy.read_bytes() == b"blob"
    assert not copy.is_symlink()


@pytest.mark.parametrize("change", ["content", "time", "place"])
def test_what_has_changed_has_another_copy(stage, shared, change):
    path = shared("a", b"old")
    before = copied(stage, path)
    if change == "content":
        path = shared("a", b"longer")
    elif change == "time":
        os.utime(path, (HOUR_AGO + 1, HOUR_AGO + 1))
    else:
        path = path.rename(path.with_name("elsewhere")).rename(shared("other/b").with_name("a"))
    after = Bundle.of([path])
    assert stage.has(before)
    assert not stage.has(after)


def test_only_what_is_missing_is_copied(stage, shared):
    path = shared("a")
    copy = stage.place(copied(stage, path)) / "a"
    inode = copy.stat().st_ino
    copied(stage, path)
    assert copy.stat().st_ino == inode


def test_a_copy_that_somebody_cut_off_is_no_copy(stage, shared):
    path = shared("a", b"weights")
    bundle = copied(stage, path)
    (stage.place(bundle) / "a").write_bytes(b"wei")
    assert not stage.has(bundle)
    copied(stage, path)
    assert (stage.place(bundle) / "a").read_bytes() == b"weights"


def test_what_a_killed_copy_left_is_removed_by_the_next(stage, shared):
    bundle = Bundle.of([shared("a")])
    left = stage.place(bundle) / ".tmp-1-a"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"wei")
    assert not stage.has(bundle)
    copied(stage, shared("b"))
    assert not left.exists()


def test_an_original_that_changes_meanwhile_is_not_taken(stage, shared, monkeypatch):
    path = shared("a", b"before")
    bundle, copy = Bundle.of([path]), shutil.copyfile

    def changed(source, target):
        copy(source, target)
        shared("a", b"afterwards")

    monkeypatch.setattr(shutil, "copyfile", changed)
    with pytest.raises(StageError, match="changed while it was copied"):
        stage.copy(bundle)
    assert not stage.has(bundle)
    assert list(stage.place(bundle).iterdir()) == []


def test_a_digest_that_is_known_is_known_of_the_copy(stage, shared):
    path = shared("a")
    digest = stage.cache.sha256(path)
    copy = stage.place(copied(stage, path)) / "a"
    assert DigestCache(stage.cache.path).known(copy) == digest == sha256_file(copy)


def test_where_there_is_room_nothing_is_removed(stage, shared):
    bundle = copied(stage, shared("a"))
    shared("a").unlink()
    stage.make_room(1)
    assert stage.has(bundle)


def test_room_is_made_of_copies_without_an_original(stage, shared, monkeypatch):
    gone, changed, current = (copied(stage, shared(name)) for name in ("gone", "changed", "current"))
    shared("gone").unlink()
    shared("changed", b"anew")
    abandoned = stage.folder / "0123456789abcdef"
    abandoned.mkdir()
    someones = stage.folder / "notes"
    someones.mkdir()
    free(monkeypatch, 0)
    with pytest.raises(StageError, match=r"too little room for 41\.0 GB of weights") as raised:
        stage.make_room(41 * 10**9)
    assert "make 41.5 GB of room there" in raised.value.hint
    assert [stage.has(bundle) for bundle in (gone, changed, current)] == [False, False, True]
    assert not abandoned.exists()
    assert someones.is_dir()
    free(monkeypatch, 10**9)
    stage.make_room(10**8)


def test_nobody_else_writes_what_is_loaded(tmp_path):
    stage = Stage(tmp_path / "stage", DigestCache(tmp_path / "digests"))
    stage.folder.mkdir(mode=0o777)
    stage.folder.chmod(0o777)
    stage.keep_ours()
    assert stage.folder.stat().st_mode & 0o777 == 0o755


def test_a_folder_of_another_user_is_not_used(tmp_path, monkeypatch):
    stage = Stage(tmp_path, DigestCache(tmp_path / "digests"))
    monkeypatch.setattr("os.getuid", lambda: 12345)
    with pytest.raises(StageError, match="another user's"):
        stage.keep_ours()
