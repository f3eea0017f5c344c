"""Runs `standin` again and again without importing torch and diffsynth again: each call is a fork of this process.

The imports take ten times as long as the tiny model's work. A fork is a process of its own, with nothing in it that an
earlier call left. Requests come as JSON lines on standard input, each a list of calls that begin at the same moment;
their exit codes go out as JSON lines on standard output.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from importlib import import_module
from pathlib import Path

COMMON = (
    *("standin_batch.cli.main", "standin_batch.engine.engine", "standin_batch.run.plan_manifest"),
    *("cv2", "facexlib.parsing", "imagehash", "insightface.app", "pyarrow.parquet", "scipy.fftpack"),
)


def main() -> None:
    # What the forks have in common; not the console, which holds on to its streams.
    for name in COMMON:
        import_module(name)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(_codes(json.loads(line))), flush=True)


def _codes(calls: list[dict]) -> list[int]:
    """The exit codes of calls that are all forked before the first one begins."""
    start, started = os.pipe()
    children = [os.fork() or _begin(call, start, started) for call in calls]
    os.close(started)
    os.close(start)
    return [
        _ended(child, call.get("kill_after"), call.get("interrupts", []), call["stdout"])
        for child, call in zip(children, calls, strict=True)
    ]


def _ended(child: int, kill_after: float | None, interrupts: list[dict], stdout: str) -> int:
    """The exit code of a child; its group is killed after so many seconds, and it gets signals, if any."""
    until, left = None if kill_after is None else time.monotonic() + kill_after, list(interrupts)
    while until is not None or left:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if until is not None and time.monotonic() > until:
            os.killpg(child, signal.SIGKILL)
            until = None
        if left and Path(stdout).read_text().count(left[0]["after"]) >= left[0].get("times", 1):
            os.kill(child, getattr(signal, left.pop(0)["signal"]))
        time.sleep(0.01)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _begin(call: dict, start: int, started: int) -> int:
    """Call when the other end of the pipe is closed by everybody; never returns."""
    os.close(started)
    os.read(start, 1)
    os.close(start)
    _call(**call)
    return 0


def _call(
    arguments: list[str],
    folder: str,
    stdout: str,
    stderr: str,
    faults: dict | None = None,
    kill_after: float | None = None,
    interrupts: list[dict] | None = None,
) -> None:
    """Become `standin` with these arguments; never returns."""
    os.chdir(folder)
    if faults is not None:
        sys.path.insert(0, str(Path(__file__).parent.parent / "support"))
        from faults import install

        install(**faults)
    elif kill_after is not None:
        os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, path in ((1, stdout), (2, stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    sys.argv = ["standin", *arguments]
    code = 1
    try:
        from standin_batch.cli.main import main as standin

        standin()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
