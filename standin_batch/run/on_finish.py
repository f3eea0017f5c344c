"""A command for when a run has ended, however it ended: `--on-finish COMMAND`. It is told how by its environment.

The run's exit code is decided before: a command that fails, or hangs, is warned of and changes nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from standin_batch.errors import ExitCode
from standin_batch.run.events import RunFinished, Warned

logger = logging.getLogger(__name__)

TIMEOUT = 60.0
"""Seconds that a command may take: whoever stops the run waits for it too."""

LAST_WORDS = 1.0
"""Seconds for reading what is left of the output of a command that has ended."""

MAX_LINES = 1_000
"""Lines of its output that go to the log."""

MAX_LINE = 10_000
"""Characters of a line."""

MAX_WHY = 4_000
"""Characters of `STANDIN_WHY`; a system takes 128 kB in one variable."""

OUTCOMES = {
    ExitCode.OK: "completed",
    ExitCode.JOBS_FAILED: "failed",
    ExitCode.USAGE: "invalid",
    ExitCode.NOT_READY: "not_ready",
    ExitCode.LOCKED: "locked",
    ExitCode.STOPPED: "stopped",
}
"""What `STANDIN_OUTCOME` says for each exit code; `crashed` for any other end."""


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Attributes:
        manifest: its file.
        code: that the process leaves with; None if it breaks off by an error of its own.
        folder: of the output; None if the manifest could not be read so far.
        finished: what came of it; None if it ended before the first job.
        why: the message of the error that it ended with; empty without one: then `finished` says it.
    """

    manifest: Path
    code: ExitCode | None
    folder: Path | None = None
    finished: RunFinished | None = None
    why: str = ""


def command_of(given: str | None, written: str | None, *, allowed: bool) -> tuple[str | None, Warned | None]:
    """The command to run, and what the user should know of it: a manifest may come from a stranger.

    Args:
        given: with `--on-finish`; stands above the manifest's.
        written: in the manifest, as `run.on_finish`.
        allowed: whether `--allow-commands` was given.
    """
    if given is not None or written is None or allowed:
        return given if given is not None else written, None
    hint = "read it; if you trust it, add --allow-commands, or give your own with --on-finish"
    return None, Warned("the manifest names a command in `run.on_finish`, which is not run", hint)


def finish(command: str, ending: Ending) -> Warned | None:
    """Run a shell command with the outcome of a run in its environment; what it prints goes to the log.

    It belongs after the lock is released, so that the command may begin another run.

    Returns:
        What the user should know: that it could not be started, failed, or was ended after `TIMEOUT` seconds.
    """
    told = _ran(command, {**os.environ, **outcome(ending)})
    if told is None:
        return None
    logger.info("the command of --on-finish %s: %s", told, command)
    return Warned(f"the command of --on-finish {told}", "the run's own exit code stands; what it printed is in the log")


def outcome(ending: Ending) -> dict[str, str]:
    """The variables of the environment that say how a run ended; numbers are 0 where no job was begun."""
    finished = ending.finished or RunFinished(0, 0, 0, 0.0, False, "")
    return {
        "STANDIN_OUTCOME": "crashed" if ending.code is None else OUTCOMES[ending.code],
        "STANDIN_EXIT_CODE": str(int(ExitCode.JOBS_FAILED if ending.code is None else ending.code)),
        "STANDIN_MANIFEST": str(ending.manifest.absolute()),
        "STANDIN_FOLDER": "" if ending.folder is None else str(ending.folder.absolute()),
        "STANDIN_COMPLETED": str(finished.completed),
        "STANDIN_FAILED": str(finished.failed),
        "STANDIN_REMAINING": str(finished.remaining),
        "STANDIN_SECONDS": f"{finished.seconds:.1f}",
        "STANDIN_WHY": _variable(ending.why or finished.why),
    }


def _variable(text: str) -> str:
    """`text` as a variable can hold it."""
    return text[:MAX_WHY].replace("\0", "").encode(errors="replace").decode()


def _ran(command: str, environment: dict[str, str]) -> str | None:
    """What went wrong with the command, in words; None if nothing did."""
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return f"could not be started: {error}"
    assert process.stdout is not None
    output = _Output(process.stdout)
    try:
        code = process.wait(TIMEOUT)
    except subprocess.TimeoutExpired:
        _end(process)
        return f"was ended after {TIMEOUT:g} s"
    except KeyboardInterrupt:
        _end(process)
        return "was interrupted"
    last = output.last()
    return f"ended with {code}{f': {last}' if last else ''}" if code else None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command and all that it has started: they are a group of their own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass
class _Output:
    """Takes what a command prints to the log, in a thread: what it left in the background may keep the pipe open."""

    pipe: IO[bytes]
    _last: deque[str] = field(default_factory=lambda: deque(maxlen=1))

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._read, name="on-finish", daemon=True)
        self._thread.start()

    def last(self) -> str:
        """The last line that was printed; empty without one."""
        self._thread.join(LAST_WORDS)
        return self._last[0] if self._last else ""

    def _read(self) -> None:
        with self.pipe:
            for number, raw in enumerate(iter(lambda: self.pipe.readline(MAX_LINE), b"")):
                if line := raw.decode(errors="replace").strip():
                    self._last.append(line)
                    if number < MAX_LINES:
                        logger.info("%s", line)
