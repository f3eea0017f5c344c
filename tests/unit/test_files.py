"""Files are either whole or absent."""

from __future__ import annotations

import hashlib
import os

import pytest

from standin_batch.files import TEMPORARY_PREFIX, remove_temporaries, replace_atomic, sha256_file, write_atomic


def test_folders_are_made_and_nothing_temporary_is_left(tmp_path):
    write_atomic(tmp_path / "a" / "b.txt", "text")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.txt"]
    assert (tmp_path / "a" / "b.txt").read_text() == "text"


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    write_atomic(path, "old")
    with pytest.raises(RuntimeError), replace_atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_file_keeps_the_suffix(tmp_path):
    with replace_atomic(tmp_path / "clip.mp4") as temporary:
        assert temporary.suffix == ".mp4", "ffmpeg chooses the format by it"
        temporary.write_bytes(b"x")


def test_what_a_killed_run_left_is_removed(tmp_path):
    left = tmp_path / "videos" / f"{TEMPORARY_PREFIX}123-clip.mp4"
    write_atomic(left.with_name("clip.mp4"), "kept")
    left.write_text("half")
    remove_temporaries(tmp_path)
    assert not left.exists()
    assert left.with_name("clip.mp4").exists()


def test_the_digest_of_a_file(tmp_path):
    content = os.urandom(3_000_000)
    (tmp_path / "f").write_bytes(content)
    assert sha256_file(tmp_path / "f") == hashlib.sha256(content).hexdigest()
