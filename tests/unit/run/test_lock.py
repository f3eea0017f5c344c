"""One run at a time for each output folder: what the second is told, and how it waits."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys

import pytest
from holding import Rests, held_elsewhere, pid_in, released, without_flock, write

from standin_batch.errors import ExitCode
from standin_batch.locks.holder import named
from standin_batch.locks.holder_file import file_of
from standin_batch.output.layout import OutputLayout
from standin_batch.run.lock import LockedError, held, holder

WAIT = """
import pathlib, sys
from standin_batch.run.lock import held
with held(pathlib.Path(sys.argv[1]), wait=lambda told: print(told, flush=True)):
    print("held", flush=True)
"""


@pytest.fixture
def path(tmp_path):
    return OutputLayout(tmp_path / "out").lock


@pytest.fixture
def other(path):
    """Another process that holds the lock of an output folder."""
    with held_elsewhere(path) as process:
        yield process


def test_the_second_is_told_who_holds_it_where_and_what_to_do(path, other):
    with pytest.raises(LockedError, match=f"process {other.pid} on") as caught, held(path):
        pytest.fail("two at once")
    error = caught.value
    assert error.exit_code is ExitCode.LOCKED
    assert error.holder == holder(path)
    folder = str(path.parent.parent)
    assert all(part in error.message for part in (error.holder.host, error.holder.since, folder))
    for cure in (f"standin status {folder}", f"standin stop {folder}", "standin run --wait"):
        assert cure in error.hint


def test_a_killed_holder_holds_nothing(path, other):
    os.kill(other.pid, signal.SIGKILL)
    other.wait(timeout=10)
    assert holder(path) is None
    with held(path):
        assert pid_in(path) == os.getpid()


def test_it_can_be_held_again(path):
    for _ in range(2):
        with held(path):
            pass


def test_a_folder_is_named_so_that_the_cure_can_be_pasted(tmp_path):
    path = OutputLayout(tmp_path / "it's mine").lock
    with held(path), pytest.raises(LockedError) as caught, held(path):
        pytest.fail("two at once")
    assert f"standin stop {shlex.quote(str(path.parent.parent))};" in caught.value.hint


def test_who_waits_is_told_once_for_whom(path, other):
    told = []
    rests = iter([lambda: None, lambda: released(other)])
    with held(path, told.append, lambda _: next(rests)()):
        assert pid_in(path) == os.getpid()
    (sentence,) = told
    assert sentence.startswith(f"waiting for process {other.pid} on ") and str(path.parent.parent) in sentence


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_get_through_to_who_waits(path, other, number):
    command = [sys.executable, "-c", WAIT, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as waiting:
        assert waiting.stdout.readline().startswith("waiting for ")
        waiting.send_signal(number)
        assert waiting.wait(timeout=10) == -number
    assert named(path).pid == other.pid


def test_a_silent_holder_where_there_are_no_locks_is_left_to_the_user(path, monkeypatch):
    without_flock(monkeypatch)
    write(file_of(path), host="elsewhere", boot="another")
    for wait in (None, print):
        with pytest.raises(LockedError, match="no sign of life") as caught, held(path, wait, Rests()):
            pytest.fail("two at once")
        assert f"rm {file_of(path)}" in caught.value.hint
