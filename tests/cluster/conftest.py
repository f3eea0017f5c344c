"""Clusters for tests: real ones, on this machine."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm_cluster import SlurmCluster, missing, slurm_cluster

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture(scope="session")
def one_slurm() -> Iterator[SlurmCluster]:
    """A Slurm of two nodes, and an environment in which submitit finds it."""
    if absent := missing():
        pytest.fail(f"not installed: {', '.join(absent)}; run `make test-cluster`")
    with (
        tempfile.TemporaryDirectory(prefix="slurm-", ignore_cleanup_errors=True) as folder,
        slurm_cluster(Path(folder)) as cluster,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name in ("PATH", "SLURM_CONF"):
            patch.setenv(name, cluster.environment[name])
        # What a node unpickles it has to find.
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(SUPPORT), os.environ.get("PYTHONPATH")])))
        yield cluster


@pytest.fixture
def slurm(one_slurm: SlurmCluster) -> Iterator[SlurmCluster]:
    """The same, with nothing at work and all nodes ready, before and after."""
    one_slurm.clear()
    yield one_slurm
    one_slurm.clear()
