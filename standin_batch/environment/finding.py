"""One thing that was looked at: what it is, how it is, and what to do about it."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from enum import Enum

PIP = f"{shlex.quote(sys.executable)} -m pip"
"""This Python's own pip, so that a pasted line mends the environment that was looked at."""

REINSTALL_ORT = f"{PIP} uninstall -y onnxruntime && {PIP} install --force-reinstall --no-deps onnxruntime-gpu"


class Level(str, Enum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what was looked at.
        level: whether it is as it should be.
        message: what was found.
        cure: a line to paste; empty when all is well.
    """

    subject: str
    level: Level
    message: str
    cure: str = ""
