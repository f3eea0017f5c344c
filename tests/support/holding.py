"""Processes that hold a lock, and what the files of locks say of others."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from standin_batch.locks.holder import Holder, myself, to_json

HOLD = """
import errno, fcntl, pathlib, sys
from standin_batch.locks.lock import exclusive
def refuse(*_):
    raise OSError(errno.ENOLCK, "No locks available")
if sys.argv[2] == "without flock":
    fcntl.flock = refuse
with exclusive(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


class Rests(list):
    """In place of the clock: notes the seconds, and does something meanwhile."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def __call__(self, seconds: float) -> None:
        self.append(seconds)
        self._meanwhile()


def interrupted(_: object) -> None:
    """Ctrl-C while one waits."""
    raise KeyboardInterrupt


def without_flock(patch: pytest.MonkeyPatch, number: int = errno.ENOLCK) -> None:
    """Let the system say of every file that it cannot be locked."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    patch.setattr(fcntl, "flock", refuse)


@contextlib.contextmanager
def held_elsewhere(path: Path, flock: bool = True) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds `path` until its standard input is closed."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    command = [sys.executable, "-c", HOLD, str(path), "with flock" if flock else "without flock"]
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def released(process: subprocess.Popen[str]) -> None:
    """Let a process that holds a lock end as it should."""
    process.stdin.close()
    assert process.wait(timeout=30) == 0


def write(path: Path, **changes: object) -> Holder:
    """Let `path` name this process, or with `changes` another one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = replace(myself(), **changes)
    path.write_text(to_json(found))
    return found


def long_ago(path: Path) -> None:
    """Let the last sign of life in `path` be hours old."""
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10_000))


def pid_in(path: Path) -> int:
    """Whom the file of a lock names."""
    return int(json.loads(path.read_text())["pid"])
