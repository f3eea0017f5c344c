"""What tests submit to Slurm: importable, as the processes on its nodes have to find it."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Listening:
    """Writes down where it runs and which signals come, until one that ends it, or for a minute.

    Attributes:
        folder: for what it writes down: `RANK.START`, a file for each time that it is started.
        rank: of its shard.
        hands_on: whether USR2 goes on to the handler that was there before.
    """

    folder: Path
    rank: int
    hands_on: bool = True

    def __call__(self) -> str:
        heard: list[int] = []
        before = signal.getsignal(signal.SIGUSR2)
        for number in (signal.SIGTERM, signal.SIGUSR2):
            signal.signal(number, lambda found, _frame: heard.append(found))
        self._write(os.environ["SLURMD_NODENAME"])
        end = time.monotonic() + 60
        while not heard and time.monotonic() < end:
            time.sleep(0.05)
        self._write(" ".join(signal.Signals(number).name for number in heard))
        if signal.SIGUSR2 in heard and self.hands_on:
            before(signal.SIGUSR2, None)
        return "ended"

    def checkpoint(self) -> object:
        """How submitit starts it again."""
        from submitit.core.utils import DelayedSubmission

        return DelayedSubmission(self)

    def _write(self, text: str) -> None:
        started = os.environ.get("SLURM_RESTART_COUNT", "0")
        with (self.folder / f"{self.rank}.{started}").open("a") as file:
            file.write(text + "\n")
