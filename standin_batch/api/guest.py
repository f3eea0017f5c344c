"""Being a guest in somebody's process: what a run changes for all of it is as it was when the run has ended.

On the command line the process is the run's own, and its log and its settings may stay.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from standin_batch.engine.quiet import OFFLINE
from standin_batch.errors import UsageError

_at_work = threading.Lock()


@contextmanager
def alone() -> Iterator[None]:
    """Within the block, no other run is at work in this process: they would share its log and its streams.

    Raises:
        UsageError: if one is.
    """
    if not _at_work.acquire(blocking=False):
        raise UsageError("another run is at work in this process", "call `run` when it has ended")
    try:
        yield
    finally:
        _at_work.release()


@contextmanager
def as_guest() -> Iterator[None]:
    """After the block, the root logger, shown warnings and the environment are as before."""
    with _own_log(), _own_environment():
        yield


@contextmanager
def _own_log() -> Iterator[None]:
    root = logging.getLogger()
    # Taken off, and not left to the run, which would close them.
    handlers, level, shown = root.handlers[:], root.level, warnings.showwarning
    root.handlers[:] = []
    try:
        yield
    finally:
        for handler in root.handlers[:]:
            root.removeHandler(handler)
            handler.close()
        if warnings.showwarning is not shown:
            logging.captureWarnings(False)
        root.handlers[:] = handlers
        root.setLevel(level)


@contextmanager
def _own_environment() -> Iterator[None]:
    """What keeps libraries from downloading is for the run only: a notebook may well want to download."""
    before = {name: os.environ.get(name) for name in OFFLINE}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
