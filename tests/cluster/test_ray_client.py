"""Ray: a driver on a machine that is no part of the cluster reaches it as Ray's client."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from driven import Driven, write_manifest

pytestmark = pytest.mark.cluster

pytest.importorskip("grpc", reason="Ray's client needs it")

STORE = 100 * 2**20


@pytest.fixture
def port(tmp_path):
    """Where a cluster with one worker's processor listens to clients."""
    from ray.cluster_utils import Cluster

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": STORE})
    cluster.add_node(num_cpus=1, object_store_memory=STORE)
    cluster.wait_for_nodes()
    options = ["--address", cluster.address, "--host", "127.0.0.1", "--port", str(number), "--mode", "proxy"]
    with (tmp_path / "server.txt").open("w") as told:
        command = [sys.executable, "-m", "ray.util.client.server", *options]
        with subprocess.Popen(command, stdout=told, stderr=subprocess.STDOUT) as server:
            yield number  # clients wait until it listens
            server.terminate()
    cluster.shutdown()


def test_a_client_of_a_cluster_has_its_clips_made_there(port, tmp_path):
    write_manifest(tmp_path / "manifest.yaml")
    address = f'address = "ray://127.0.0.1:{port}"'
    (tmp_path / "standin.toml").write_text(f'backend = "ray"\n[ray]\n{address}\ngpus_per_worker = 0\n')
    run = Driven(tmp_path, "manifest.yaml", "--limit", 2)
    assert run.code() == 0, run.stderr.read_text()
    assert len(run.named("JobCompleted")) == 2
    assert {event["worker"].split("-")[0] for event in run.named("JobCompleted")} == {"ray"}
