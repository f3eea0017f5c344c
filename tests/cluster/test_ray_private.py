"""Ray: a cluster that a run starts is nobody else's."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.cluster

LOOK = """
import socket
{first}
from standin_batch.backends.ray.cluster import Cluster
from standin_batch.machine import RayOptions
for _ in range({times}):
    cluster = Cluster(RayOptions(gpus_per_worker=0))
    cluster.connect()
    import ray
    port = int(ray.get_runtime_context().gcs_address.rpartition(":")[2])
    for host in ("127.0.0.1", "127.0.0.2"):
        with socket.socket() as asking:
            print("listens" if asking.connect_ex((host, port)) == 0 else "deaf")
    cluster.close()
"""


def looked(times=1, first=""):
    """Whether it listens to its own machine, and at another of its addresses; and what the user sees."""
    command = [sys.executable, "-c", LOOK.format(times=times, first=first)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return ran.stdout.split(), ran.stderr


def test_it_listens_to_this_machine_only_and_warns_of_nothing_also_the_second_time_in_one_process():
    assert looked(times=2) == (["listens", "deaf"] * 2, "")


def test_a_ray_that_somebody_has_imported_before_works_too():
    assert looked(first="import ray")[0][0] == "listens"
