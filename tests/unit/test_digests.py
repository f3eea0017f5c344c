"""Files are read again only when they have changed."""

from __future__ import annotations

import os
import time

import pytest

from standin_batch import digests
from standin_batch.digests import DigestCache
from standin_batch.files import sha256_file

HOUR = 3600


@pytest.fixture
def reads(monkeypatch):
    """Which files were read."""
    found = []
    monkeypatch.setattr(digests, "sha256_file", lambda path: (found.append(path), sha256_file(path))[1])
    return found


def write(path, content, age=HOUR):
    path.write_text(content)
    then = time.time() - age
    os.utime(path, (then, then))


def test_a_file_is_read_once_also_by_another_process(tmp_path, reads):
    write(tmp_path / "f", "content")
    first = DigestCache(tmp_path / "cache").sha256(tmp_path / "f")
    assert DigestCache(tmp_path / "cache").sha256(tmp_path / "f") == first
    assert len(reads) == 1


def test_a_changed_file_is_read_again(tmp_path):
    cache = DigestCache(tmp_path / "cache")
    write(tmp_path / "f", "one")
    first = cache.sha256(tmp_path / "f")
    write(tmp_path / "f", "two", age=HOUR / 2)
    assert cache.sha256(tmp_path / "f") != first


def test_a_file_changed_just_now_is_not_remembered(tmp_path, reads):
    write(tmp_path / "f", "content", age=0)
    DigestCache(tmp_path / "cache").sha256(tmp_path / "f")
    DigestCache(tmp_path / "cache").sha256(tmp_path / "f")
    assert len(reads) == 2


def test_a_cache_cut_by_a_crash_is_still_read(tmp_path, reads):
    for name in "ab":
        write(tmp_path / name, name)
        DigestCache(tmp_path / "cache").sha256(tmp_path / name)
    text = (tmp_path / "cache").read_text()
    (tmp_path / "cache").write_text(text[:-20])
    for name in "ab":
        assert DigestCache(tmp_path / "cache").sha256(tmp_path / name) == sha256_file(tmp_path / name)
    assert [path.name for path in reads] == ["a", "b", "b"]


def test_lines_of_two_machines_at_the_same_place_tell_what_is_true_or_nothing(tmp_path):
    """As on network file systems, where the end of a file is what each machine takes for it."""
    names = ("a", "name that is longer")
    for name in names:
        write(tmp_path / name, name)
        DigestCache(tmp_path / "cache").sha256(tmp_path / name)
    short, long = (tmp_path / "cache").read_bytes().splitlines(keepends=True)
    (tmp_path / "cache").write_bytes(short + long[len(short) :])
    found = [DigestCache(tmp_path / "cache").known(tmp_path / name) for name in names]
    assert found == [sha256_file(tmp_path / "a"), None]


def test_a_cache_that_cannot_be_written_costs_nothing(tmp_path):
    write(tmp_path / "f", "content")
    (tmp_path / "file").write_text("")
    cache = DigestCache(tmp_path / "file" / "cache")
    assert cache.sha256(tmp_path / "f") == sha256_file(tmp_path / "f")


def test_a_digest_that_is_told_is_not_computed_also_of_a_new_file(tmp_path, reads):
    write(tmp_path / "f", "content", age=0)
    DigestCache(tmp_path / "cache").remember(tmp_path / "f", "0" * 64)
    assert DigestCache(tmp_path / "cache").sha256(tmp_path / "f") == "0" * 64
    assert reads == []


def test_a_digest_that_is_told_twice_is_written_once(tmp_path):
    write(tmp_path / "f", "content")
    for _ in range(2):
        DigestCache(tmp_path / "cache").remember(tmp_path / "f", "0" * 64)
    assert len((tmp_path / "cache").read_text().splitlines()) == 1


def test_whether_a_digest_is_remembered_is_told_without_reading(tmp_path, reads):
    write(tmp_path / "f", "content")
    assert DigestCache(tmp_path / "cache").known(tmp_path / "f") is None
    assert reads == []
    digest = DigestCache(tmp_path / "cache").sha256(tmp_path / "f")
    assert DigestCache(tmp_path / "cache").known(tmp_path / "f") == digest
    assert len(reads) == 1
