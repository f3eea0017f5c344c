"""Weights on a disk of this node: copied once, told as they come, and never in the way of a run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from holding import HOLD, released
from jobs import make_job

from standin_batch.digests import DigestCache
from standin_batch.plan.planner import make_plan
from standin_batch.run.events import Prepared, Preparing, Warned
from standin_batch.run.staging import staged_files
from standin_batch.weights.locate import locate
from standin_batch.weights.registry import ROWS

BASE = ("tiny", "tiny/base")


@pytest.fixture
def files(tmp_path, golden):
    root = shutil.copytree(golden / "weights", tmp_path / "weights")
    return {BASE: locate(ROWS["tiny"], root, (), DigestCache(tmp_path / "digests.jsonl"))}


def is_here(found, folder):
    return found[BASE].experts[0].shards[0].is_relative_to(folder)


def test_without_a_folder_nothing_is_copied(files):
    assert staged_files(files, None, pytest.fail) is files


def test_they_are_copied_once_and_that_is_told(files, tmp_path):
    said = []
    first = staged_files(files, tmp_path / "scratch", said.append)
    what = said[0].what
    assert what.startswith("copying ")
    assert what.endswith(f" MB of weights to {tmp_path / 'scratch' / 'weights'}")
    assert [type(event) for event in said] == [Preparing, Prepared]
    assert is_here(first, tmp_path / "scratch")
    assert staged_files(files, tmp_path / "scratch", pytest.fail) == first


def test_a_variable_is_that_of_the_node(files, tmp_path, monkeypatch):
    monkeypatch.setenv("NODE_DISK", str(tmp_path / "disk"))
    assert is_here(staged_files(files, "$NODE_DISK/standin", [].append), tmp_path / "disk" / "standin")


def test_only_bases_that_run_are_copied(files, tmp_path):
    both = {**files, ("tiny-2.2", "other"): replace(files[BASE], vae=tmp_path / "there is none")}
    found = staged_files(both, tmp_path / "scratch", [].append, make_plan([make_job()], {}))
    assert is_here(found, tmp_path / "scratch")
    assert found.keys() == both.keys()


def test_one_copies_while_the_others_wait(files, tmp_path):
    lock = tmp_path / "scratch" / "weights" / "lock"
    lock.parent.mkdir(parents=True)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HOLD, str(lock), "with flock"], text=True, **pipes) as other:
        assert other.stdout.readline() == "held\n"
        said = []

        def hear(event):
            said.append(event)
            if len(said) == 1:
                released(other)

        found = staged_files(files, tmp_path / "scratch", hear)
    waiting, _, copying, _ = said
    assert waiting.what.startswith(f"waiting for process {other.pid} on ")
    assert copying.what.startswith("copying ")
    assert is_here(found, tmp_path / "scratch")


def unset(tmp_path, _):
    return "$NOT_SET_ANYWHERE/standin", "NOT_SET_ANYWHERE"


def not_writable(tmp_path, _):
    (tmp_path / "file").write_text("")
    return tmp_path / "file", "Not a directory"


def full(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    return tmp_path / "scratch", "too little room"


@pytest.mark.parametrize("why", [unset, not_writable, full], ids=lambda why: why.__name__)
def test_where_they_cannot_be_copied_they_are_read_where_they_are(files, tmp_path, monkeypatch, why):
    folder, told = why(tmp_path, monkeypatch)
    said = []
    found = staged_files(files, folder, said.append)
    assert found[BASE].experts == files[BASE].experts
    assert found[BASE].text_encoding() == files[BASE].text_encoding()
    (warning,) = said
    assert isinstance(warning, Warned)
    assert told in warning.message
    assert warning.hint
