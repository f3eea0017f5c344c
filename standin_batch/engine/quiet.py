"""DiffSynth prints a banner and every load on standard output: its words go to the log, and its downloads stay off."""

from __future__ import annotations

import contextlib
import io
import logging
import os
from collections.abc import Iterator

logger = logging.getLogger("libraries")

OFFLINE = {"DIFFSYNTH_SKIP_DOWNLOAD": "True", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


NO_ERROR = "This is not an error"
"""DiffSynth says so of a dozen models at each start that nobody asked for."""


class _LogLines(io.TextIOBase):
    """A text stream whose lines become log records."""

    def __init__(self) -> None:
        self._rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.strip():
                logger.log(logging.DEBUG if NO_ERROR in line else logging.INFO, "%s", line.rstrip())
        return len(text)


@contextlib.contextmanager
def to_log() -> Iterator[None]:
    """Within the block, what libraries print goes to the log, and nothing is downloaded."""
    for name, value in OFFLINE.items():
        os.environ.setdefault(name, value)
    stream = _LogLines()
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        yield
