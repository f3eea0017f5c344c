"""One run at a time: the kernel's lock, which ends with its process however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from standin_batch.errors import ExitCode
from standin_batch.run.lock import LockedError, held

HOLD = """
import pathlib, sys, time
from standin_batch.run.lock import held
with held(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of an output folder."""
    path = tmp_path / "out" / ".standin" / "lock"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], text=True, **pipes) as process:
        assert process.stdout.readline() == "held\n"
        yield path, process
        process.kill()


def test_the_second_is_told_who_holds_it(holder):
    path, process = holder
    with pytest.raises(LockedError, match=f"process {process.pid} on") as caught, held(path):
        pytest.fail("two at once")
    assert caught.value.exit_code is ExitCode.LOCKED
    assert "standin status" in caught.value.hint


def test_a_killed_holder_holds_nothing(holder):
    path, process = holder
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=10)
    with held(path):
        assert f'"pid": {os.getpid()}' in path.read_text()


def test_it_can_be_held_again(tmp_path):
    for _ in range(2):
        with held(tmp_path / "lock"):
            pass
