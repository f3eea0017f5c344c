"""DiffSynth prints a banner and every load on standard output: its words go to the log, and its downloads stay off."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from standin_batch.hushed import hushed

OFFLINE = {"DIFFSYNTH_SKIP_DOWNLOAD": "True", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


@contextmanager
def to_log() -> Iterator[None]:
    """Within the block, what libraries print goes to the log, and nothing is downloaded."""
    for name, value in OFFLINE.items():
        os.environ.setdefault(name, value)
    with hushed():
        yield
