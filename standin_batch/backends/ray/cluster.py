"""The Ray cluster that a run uses: one that is there, or one of this machine that is started for it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from standin_batch.errors import NotReadyError
from standin_batch.hushed import hushed_threads
from standin_batch.machine import RayOptions

TALKING = ("ray_listen_error_messages", "ray_print_logs")
"""Threads of Ray that print what is wrong on other nodes; what of that concerns a run, its crew tells."""


@contextmanager
def connected(options: RayOptions) -> Iterator[None]:
    """Within the block, there is a cluster; one that whoever calls is connected to already stays theirs.

    Raises:
        NotReadyError: if it cannot be reached.
    """
    import ray

    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    address = options.address or os.environ.get("RAY_ADDRESS") or "local"
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING, include_dashboard=False)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        cure = "look with `ray status`; `address` below [ray] in standin.toml names the cluster"
        raise NotReadyError(f"there is no Ray cluster at {address}: {first_line(error)}", cure) from error
    try:
        with hushed_threads(*TALKING):
            yield
    finally:
        ray.shutdown()


def places_for(options: RayOptions) -> int:
    """How many workers the cluster has room for, by its GPUs, or by its processors for workers without."""
    import ray

    has = ray.cluster_resources()
    each = {"GPU": options.gpus_per_worker, "CPU": options.cpus_per_worker}
    return min(int(has.get(what, 0) // number) for what, number in each.items() if number)


def put(content: bytes) -> Any:  # noqa: ANN401 - a reference of Ray's
    """What stands for a content: it lies in the cluster once, and goes to each node that asks for it once."""
    import ray

    return ray.put(content)


def first_line(error: BaseException) -> str:
    """What an error says first; Ray's go on with traces of several processes."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
