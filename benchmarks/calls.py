"""The real command line, in a process of its own, with its events and records: what happened when.

Times are counted from the start of the process, as the clock of this machine has them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import ROOT, BenchmarkError

Event = Mapping[str, Any]
TOLD = 8
"""Lines of a failed process that its error repeats."""


@dataclass(frozen=True)
class Finished:
    """A process that ended well.

    Attributes:
        seconds: from its start to its end.
        cpu: that the processors spent on it, in its own code and the system's.
        memory: bytes that it had in memory at the highest.
        started: seconds since 1970.
        output: what it printed to standard output.
    """

    seconds: float
    cpu: float
    memory: int
    started: float
    output: str


@dataclass(frozen=True)
class Call:
    """A finished `standin run --json`.

    Attributes:
        process: that it was.
        events: in their order.
        folder: that it wrote to.
    """

    process: Finished
    events: Sequence[Event]
    folder: Path

    @property
    def seconds(self) -> float:
        """From the start of the process to its end."""
        return self.process.seconds

    @property
    def to_first_job(self) -> float | None:
        """Seconds to the beginning of the first job: from here on the engine's own clock runs."""
        return self._at("JobStarted")

    @property
    def to_first_step(self) -> float | None:
        """Seconds to the beginning of the first denoising step.

        An event tells the end of a step. So this is the end of the first one less the length of the second, which is
        never the longer; None for fewer than two steps of one job. On a GPU it is a guess: there, events run ahead of
        the device.
        """
        ends = [event for event in self.events if event["event"] == "JobStep"]
        if len(ends) < 2 or ends[0]["job_id"] != ends[1]["job_id"]:
            return None
        return float(ends[0]["time"] - (ends[1]["time"] - ends[0]["time"]) - self.process.started)

    @property
    def after_last_job(self) -> float | None:
        """Seconds from the last finished job to the end of the run: index, gallery, summary."""
        done = [event["time"] for event in self.events if event["event"] == "JobCompleted"]
        ended = [event["time"] for event in self.events if event["event"] == "RunFinished"]
        return float(ended[-1] - done[-1]) if done and ended else None

    @property
    def leaving(self) -> float | None:
        """Seconds from the end of the run to the end of the process."""
        ended = self._at("RunFinished")
        return None if ended is None else self.seconds - ended

    def prepared(self, beginning: str) -> float:
        """Seconds that were spent on what the events call by a name that begins so, such as `loading`."""
        return sum(
            float(event["seconds"])
            for event in self.events
            if event["event"] == "Prepared" and event["what"].startswith(beginning)
        )

    def records(self) -> list[dict[str, Any]]:
        """The records of its folder, by the time they were finished."""
        return read_records(self.folder)

    def engine_seconds(self) -> float:
        """The engine's own time, summed over all phases of all records."""
        return sum(sum(record["seconds"].values()) for record in self.records())

    def phases(self) -> dict[str, float]:
        """The same by phase."""
        spent: dict[str, float] = {}
        for record in self.records():
            for phase, seconds in record["seconds"].items():
                spent[phase] = spent.get(phase, 0.0) + seconds
        return spent

    def _at(self, name: str) -> float | None:
        times = (event["time"] for event in self.events if event["event"] == name)
        first = next(times, None)
        return None if first is None else float(first) - self.process.started


def read_records(folder: Path) -> list[dict[str, Any]]:
    """The records in an output folder, by the time they were finished."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in (folder / "records").glob("*.json")]
    return sorted(found, key=lambda record: str(record["finished_at"]))


def standin_run(
    manifest: Path, *arguments: str, folder: Path, cache: Path, workplace: Path, accepted: Sequence[int] = (0,)
) -> Call:
    """Call `standin run --json` on a manifest.

    Args:
        manifest: to run.
        arguments: further options.
        folder: of the output, as an absolute path.
        cache: of the user, for this call.
        workplace: the folder in which it is called: `checkpoints/` is looked for there.
        accepted: exit codes that are no failure.

    Raises:
        BenchmarkError: if it leaves with another one.
    """
    set_folder = ("--set", f"output.folder={folder}")
    command = ["run", str(manifest), "--json", *set_folder, *arguments]
    ran = standin(*command, cache=cache, workplace=workplace, accepted=accepted)
    events = [json.loads(line) for line in ran.output.splitlines() if line.startswith("{")]
    return Call(ran, events, folder)


def standin(*arguments: str, cache: Path, workplace: Path, accepted: Sequence[int] = (0,)) -> Finished:
    """Call `standin` in a process of its own.

    Raises:
        BenchmarkError: if it leaves with another code than those accepted.
    """
    command = [sys.executable, "-m", "standin_batch", *arguments]
    return process(command, workplace, {"STANDIN_CACHE": str(cache)}, accepted)


def python(code: str, *arguments: str, workplace: Path) -> Finished:
    """Run Python code in a fresh process.

    Raises:
        BenchmarkError: if it fails.
    """
    return process([sys.executable, "-c", code, *arguments], workplace, {})


def process(
    command: Sequence[str], workplace: Path, environment: Mapping[str, str], accepted: Sequence[int] = (0,)
) -> Finished:
    """Run a command, measured from outside.

    Raises:
        BenchmarkError: if it cannot be started, or leaves with another code than those accepted.
    """
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    surroundings = {**os.environ, "PYTHONPATH": path, **environment}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        started, begin = time.time(), time.perf_counter()
        try:
            child = subprocess.Popen(command, cwd=workplace, env=surroundings, stdout=out, stderr=err, text=True)
        except OSError as error:
            raise BenchmarkError(f"{command[0]} cannot be started: {error}") from error
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        code = child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if code not in accepted:
            told = "\n".join(_last(err.read())) or "it said nothing"
            raise BenchmarkError(f"{' '.join(command[:6])} … left with {code}: {told}")
        cpu = usage.ru_utime + usage.ru_stime
        return Finished(seconds, cpu, usage.ru_maxrss * 1024, started, out.read())


def _last(text: str) -> Iterator[str]:
    yield from [line for line in text.splitlines() if line.strip()][-TOLD:]
