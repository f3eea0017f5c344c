"""Staged files: found again by their content, verified, and only then named."""

from __future__ import annotations

import hashlib

import pytest
from holding import long_ago, without_flock, write
from hub import git_sha1, torch_zip

from standin_batch.errors import ExitCode, NotReadyError
from standin_batch.locks.holder_file import file_of
from standin_batch.weights.hub import RemoteFile
from standin_batch.weights.staging import (
    LEGACY_PICKLE,
    MARGIN_BYTES,
    DigestError,
    NoRoom,
    Staging,
    digests,
    install,
    link,
    margin,
    share,
    verified,
)

CONTENT = b"weights" * 1000
SHA256, GIT = hashlib.sha256(CONTENT).hexdigest(), git_sha1(CONTENT)
TORCH = torch_zip(b"x" * 99)


@pytest.fixture
def part(tmp_path):
    path = tmp_path / "x.part"
    path.write_bytes(CONTENT)
    return path


def remote(**known):
    return RemoteFile("a.bin", "https://host/a.bin", **known)


@pytest.mark.parametrize("known", [{"sha256": SHA256}, {"git_sha1": GIT}, {"sha256": SHA256, "size": len(CONTENT)}])
def test_the_right_bytes_stay_and_their_sha256_is_told(part, known):
    assert verified(part, remote(**known)) == SHA256
    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({"sha256": "0" * 64}, f"SHA-256 {SHA256}, expected {'0' * 64}"),
        ({"git_sha1": "0" * 40}, f"git SHA-1 {GIT}, expected {'0' * 40}"),
        ({"sha256": SHA256, "size": 8}, f"bytes {len(CONTENT)}, expected 8"),
    ],
)
def test_wrong_bytes_are_deleted_and_told(part, known, told):
    with pytest.raises(DigestError, match=told) as raised:
        verified(part, remote(**known))
    assert not part.exists()
    assert "a.bin" in raised.value.message and "again" in raised.value.hint


@pytest.mark.parametrize("content", [torch_zip(b"x"), LEGACY_PICKLE + b"rest"])
def test_a_file_without_a_digest_has_to_be_one_of_torch(part, content):
    part.write_bytes(content)
    assert verified(part, remote()) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!doctype html>",
        b"\x80\x04code",
        torch_zip(b"x" * 99)[:-30],
        torch_zip(b"x" * 99).replace(b"xxx", b"yyy"),
    ],
)
def test_what_is_empty_a_page_cut_or_changed_is_none(part, content):
    part.write_bytes(content)
    with pytest.raises(DigestError, match="no file of torch"):
        verified(part, remote())
    assert not part.exists()


def test_the_digests_of_git_are_those_of_git(tmp_path):
    (tmp_path / "hello").write_bytes(b"hello\n")
    assert digests(tmp_path / "hello")[1] == "ce013625030ba8dba906f756967f9e9ca394464a", "git hash-object"


def test_the_same_content_has_the_same_part_wherever_it_comes_from(tmp_path):
    staging = Staging(tmp_path)
    same = RemoteFile("b/c.bin", "https://other/c.bin", sha256=SHA256)
    assert staging.part(remote(sha256=SHA256)) == staging.part(same)
    assert staging.part(remote()) != staging.part(RemoteFile("a.bin", "https://other/a.bin"))


def test_installing_replaces_and_takes_the_part(part, tmp_path):
    target = tmp_path / "folder" / "a.bin"
    target.parent.mkdir()
    target.write_bytes(b"old")
    install(part, target)
    assert target.read_bytes() == CONTENT and not part.exists()
    assert [path.name for path in target.parent.iterdir()] == ["a.bin"]


def test_installing_over_a_link_leaves_what_it_led_to(part, tmp_path):
    (tmp_path / "theirs").write_bytes(b"theirs")
    (tmp_path / "a.bin").symlink_to(tmp_path / "theirs")
    install(part, tmp_path / "a.bin")
    assert (tmp_path / "theirs").read_bytes() == b"theirs"
    assert (tmp_path / "a.bin").read_bytes() == CONTENT and not (tmp_path / "a.bin").is_symlink()


def test_a_link_leads_to_the_file_from_anywhere(part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    link(part.relative_to(tmp_path), tmp_path / "deep" / "er" / "a.bin")
    assert (tmp_path / "deep" / "er" / "a.bin").resolve() == part


def test_a_shared_file_outlives_the_other_name(part, tmp_path):
    (tmp_path / "link").symlink_to(part)
    share(tmp_path / "link", tmp_path / "b" / "a.bin")
    part.unlink()
    assert (tmp_path / "b" / "a.bin").read_bytes() == CONTENT


def test_a_lock_that_may_be_held_by_another_machine_is_told(tmp_path, monkeypatch):
    without_flock(monkeypatch)
    staging = Staging(tmp_path)
    path = file_of(staging.folder / "lock")
    write(path, host="elsewhere", boot="another")
    long_ago(path)
    with pytest.raises(NotReadyError, match="on elsewhere") as raised, staging.held(lambda: pytest.fail("waits")):
        pytest.fail("held")
    assert raised.value.exit_code is ExitCode.NOT_READY and f"rm {path}" in raised.value.hint


def test_too_little_room_is_told_in_numbers(tmp_path):
    staging = Staging(tmp_path)
    staging.folder.mkdir()
    staging.require_room(0)
    staging.require_room(1000)
    with pytest.raises(NoRoom, match=r"1000000.00 GB are to come") as raised:
        staging.require_room(10**15)
    assert raised.value.exit_code is ExitCode.NOT_READY and "--checkpoints DIR" in raised.value.hint


def test_the_margin_grows_with_what_comes():
    assert margin(0) == MARGIN_BYTES
    assert margin(10**11) == MARGIN_BYTES + 10**9
