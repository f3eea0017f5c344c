"""Slurm's limits of time, as people write them: in its own forms, as minutes, or as a length such as `12h`."""

from __future__ import annotations

import math
import re

from standin_batch.durations import seconds_of

_WITHOUT_DAYS = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+)\Z")
_WITH_DAYS = re.compile(r"(\d+)-(\d+)(?::(\d+))?(?::(\d+))?\Z")
MOST_CHARACTERS = 20


def minutes_of(text: str) -> int | None:
    """The minutes that a limit stands for, rounded up; None if it is none.

    Slurm reads `M`, `M:S`, `H:M:S`, `D-H`, `D-H:M` and `D-H:M:S` (https://slurm.schedmd.com/sbatch.html, `--time`).
    """
    if len(text) > MOST_CHARACTERS:
        return None
    seconds = seconds_of(text)
    if seconds is None:
        seconds = _slurms(text.strip())
    return math.ceil(seconds / 60) if seconds else None


def _slurms(text: str) -> float | None:
    if found := _WITH_DAYS.match(text):
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if not (found := _WITHOUT_DAYS.match(text)):
        return None
    hours, minutes, last = (int(part or 0) for part in found.groups())
    # One number alone is minutes; behind a colon it is seconds.
    return (hours * 60 + minutes) * 60 + last if found[2] else last * 60
