"""Away: the ground of a worker that does not see the output folder. It writes into a mirror, below a folder of its own.

The folder is removed at the end. A worker that was killed leaves its own behind, and the next one there removes it.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from standin_batch.backends.crew.freight import Content
from standin_batch.backends.crew.ground import Ground, Send
from standin_batch.backends.crew.mirror import Mirror
from standin_batch.backends.crew.orders import Orders
from standin_batch.locks.lock import exclusive, holder
from standin_batch.run.log import log_to
from standin_batch.run.staging import folder_here

logger = logging.getLogger(__name__)

PREFIX = "standin-worker-"
LOCK = "lock"

OLD = 600.0
"""Seconds after which a folder that nobody holds was left behind: a worker takes its own at once."""


@contextmanager
def away(orders: Orders, name: str, send: Send, fetch: Callable[[Content], bytes]) -> Iterator[Ground]:
    """Within the block, the worker of this name is at work in a mirror of the output folder.

    Args:
        orders: of the run.
        name: of the worker.
        send: tells the driver.
        fetch: gives the bytes that a content stands for.

    Raises:
        NotReadyError: if `stage_to` names a variable that is not set here.
    """
    below = Path(tempfile.gettempdir()) if orders.stage_to is None else folder_here(orders.stage_to)
    with _own_folder(below) as root:
        mirror = Mirror(root, orders.home, name, send, fetch)
        mirror.layout.folder.mkdir()
        log_to(mirror.log)
        try:
            yield Ground(_here(orders), mirror.layout, mirror.journal, mirror.tell, mirror.unpack)
        except Exception:
            logger.exception("the worker %s has failed", name)
            raise
        finally:
            mirror.close()


def _here(orders: Orders) -> Orders:
    """The orders as they hold where paths are others: where the driver's weights lie, or where this machine says."""
    there = orders.checkpoints is not None and orders.checkpoints.is_dir()
    return orders if there else replace(orders, checkpoints=None)


@contextmanager
def _own_folder(below: Path) -> Iterator[Path]:
    below.mkdir(parents=True, exist_ok=True)
    _remove_left_behind(below)
    root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=below)).resolve()
    try:
        with exclusive(root / LOCK, leave=False):
            yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _remove_left_behind(below: Path) -> None:
    for folder in below.glob(f"{PREFIX}*"):
        try:
            if time.time() - folder.stat().st_mtime > OLD and holder(folder / LOCK) is None:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
