"""Eight processes that want one lock at the same moment: with the kernel's locks, without, and after a dead holder."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest
from holding import write

from standin_batch.errors import ExitCode
from standin_batch.locks.holder_file import file_of

NUMBER = 8

WANT = """
import errno, fcntl, pathlib, sys, time
from standin_batch.locks.held import HeldError
from standin_batch.locks.lock import POLL, exclusive
path, flock, wait = pathlib.Path(sys.argv[1]), sys.argv[2] == "True", sys.argv[3] == "True"
def refuse(*_):
    raise OSError(errno.ENOLCK, "No locks available")
if not flock:
    fcntl.flock = refuse
def rest(seconds):
    time.sleep(0.02 if seconds == POLL else seconds)
print("ready", flush=True)
sys.stdin.readline()
try:
    with exclusive(path, (lambda holder: None) if wait else None, rest):
        try:
            path.with_name("inside").touch(exist_ok=False)
        except FileExistsError:
            sys.exit("two at once")
        if not wait:
            sys.stdin.readline()
        path.with_name("inside").unlink()
except HeldError as error:
    assert error.holder is None or error.holder.pid > 0
    sys.exit(error.exit_code)
"""


@contextlib.contextmanager
def wanting(path, flock, wait):
    """Eight processes that have been told to go, all at once."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    command = [sys.executable, "-c", WANT, str(path), str(flock), str(wait)]
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(subprocess.Popen(command, text=True, **pipes)) for _ in range(NUMBER)]
        for process in processes:
            stack.callback(process.kill)
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        yield processes


@pytest.fixture(params=[False, True], ids=["free", "after a dead one"])
def path(request, tmp_path):
    found = tmp_path / "lock"
    if request.param:
        write(found, pid=1, born="1")
        write(file_of(found), pid=1, born="1")
    return found


def ended(processes):
    return [process for process in processes if process.poll() is not None]


@pytest.mark.parametrize("flock", [True, False])
def test_one_gets_it_and_the_others_leave(path, flock):
    with wanting(path, flock, wait=False) as processes:
        while len(ended(processes)) < NUMBER - 1:  # the one that has it waits for us
            with contextlib.suppress(subprocess.TimeoutExpired):
                processes[0].wait(timeout=0.05)
        (winner,) = set(processes) - set(ended(processes))
        winner.stdin.close()
        codes = sorted(process.wait(timeout=30) for process in processes)
    assert codes == [0] + [ExitCode.LOCKED] * (NUMBER - 1)


@pytest.mark.parametrize("flock", [True, False])
def test_who_waits_gets_it_one_after_the_other(path, flock):
    with wanting(path, flock, wait=True) as processes:
        assert [process.wait(timeout=60) for process in processes] == [0] * NUMBER
