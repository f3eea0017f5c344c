"""The Ray cluster that a run uses: one that is there, or one of this machine that is started for it."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from standin_batch.backends.ray.private import keep_private
from standin_batch.errors import NotReadyError
from standin_batch.hushed import hushed_threads
from standin_batch.machine import RayOptions

LOCAL = "local"
"""What Ray calls a cluster of this machine that is started anew."""

NO_PLACE = "use --device cpu; where more nodes will come, say how many workers there are to be: `workers` below [ray]"

TALKING = ("ray_listen_error_messages", "ray_print_logs")
"""Threads of Ray that print what is wrong on other nodes; what of that concerns a run, its crew tells."""


class Cluster:
    """A cluster, as long as a run needs it; one that whoever calls is connected to already stays theirs.

    Args:
        options: of the machine file.
    """

    def __init__(self, options: RayOptions) -> None:
        self._options = options
        self._address = options.address or os.environ.get("RAY_ADDRESS") or LOCAL
        self._leaving = ExitStack()

    @property
    def is_ours(self) -> bool:
        """Whether it is started for this run."""
        return self._address == LOCAL

    def connect(self) -> None:
        """Have it.

        Raises:
            NotReadyError: if it cannot be reached.
        """
        if self.is_ours:
            keep_private()
        import ray

        if ray.is_initialized():
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        with _own_signals():
            _connect(self._address)
        self._leaving.callback(ray.shutdown)
        self._leaving.enter_context(hushed_threads(*TALKING))

    def close(self) -> None:
        """Need it no more."""
        self._leaving.close()

    def workers(self) -> int:
        """How many workers a run has: as many as it is told, or there is room for.

        Raises:
            NotReadyError: if there is no room for any, and nothing says that there will be; then it is closed, too.
        """
        found = self._options.workers or self.places()
        if not found:
            self.close()
            gpus = "no GPU" if self._options.gpus_per_worker else "no processor for a worker"
            raise NotReadyError(f"the Ray cluster has {gpus}", NO_PLACE)
        return found

    def places(self) -> int:
        """How many workers there is room for, by its GPUs, or by its processors for workers without."""
        import ray

        has = ray.cluster_resources()
        each = {"GPU": self._options.gpus_per_worker, "CPU": self._options.cpus_per_worker}
        return min(int(has.get(what, 0) // number) for what, number in each.items() if number)


def _connect(address: str) -> None:
    import ray

    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING, include_dashboard=False)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        cure = "look with `ray status`; `address` below [ray] in standin.toml names the cluster"
        raise NotReadyError(f"there is no Ray cluster at {address}: {first_line(error)}", cure) from error


@contextmanager
def _own_signals() -> Iterator[None]:
    """After the block, signals come to whom they came before: Ray takes SIGTERM, and ends the process by it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def put(content: bytes) -> Any:  # noqa: ANN401 - a reference of Ray's
    """What stands for a content: it lies in the cluster once, and goes to each node that asks for it once."""
    import ray

    return ray.put(content)


def first_line(error: BaseException) -> str:
    """What an error says first; Ray's go on with traces of several processes."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
