"""Processes are told apart: by their id, by when they were born, and by whether they have ended."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from standin_batch.locks.alive import boot, born, is_alive, namespace


@pytest.fixture
def cat():
    with subprocess.Popen([shutil.which("cat")], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_this_process_and_others_are_alive(cat):
    for pid in (os.getpid(), cat.pid, 1):
        assert is_alive(pid)
        assert is_alive(pid, born(pid))


def test_a_later_process_with_the_same_id_is_another(cat):
    earlier = str(int(born(cat.pid)) - 1)
    assert not is_alive(cat.pid, earlier)


def test_one_that_has_ended_is_not_alive():
    process = subprocess.Popen([sys.executable, "-c", ""])
    then = born(process.pid)
    process.wait()
    assert not is_alive(process.pid, then)
    assert born(process.pid) == ""


def test_a_zombie_is_not_alive(cat):
    then = born(cat.pid)
    cat.kill()
    os.waitid(os.P_PID, cat.pid, os.WEXITED | os.WNOWAIT)
    assert born(cat.pid) == then, "its parent has not asked after it, so the system still knows it"
    assert not is_alive(cat.pid, then)


def test_one_that_the_system_hides_is_not_taken_for_dead(cat, monkeypatch):
    then = born(cat.pid)
    monkeypatch.setattr(Path, "read_text", lambda path, **_: path.with_name("hidden").read_bytes())
    assert is_alive(cat.pid, then)


def test_the_name_of_a_program_confuses_nobody(tmp_path):
    (tmp_path / "a) Z 1 (").symlink_to(shutil.which("cat"))
    with subprocess.Popen([tmp_path / "a) Z 1 ("], stdin=subprocess.PIPE) as process:
        assert int(born(process.pid)) >= int(born(os.getpid()))
        assert is_alive(process.pid)


def test_an_id_that_no_process_can_have_is_no_error():
    assert not is_alive(2**70)


def test_the_system_says_which_start_it_is_and_where_its_ids_count():
    said = "from standin_batch.locks.alive import boot, namespace; print(boot(), namespace())"
    other = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert other.stdout.split() == [boot(), namespace()]
