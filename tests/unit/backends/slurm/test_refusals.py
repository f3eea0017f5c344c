"""What is made of what Slurm refuses, and of a cluster that is not there. The messages are those of Slurm 22.05."""

from __future__ import annotations

from pathlib import Path

import pytest

from standin_batch.backends.lacks import backend_findings
from standin_batch.backends.slurm.refusals import cure_of
from standin_batch.environment import Level
from standin_batch.machine import MachineFile, SlurmOptions

FILE = Path("/home/me/cluster.toml")
REFUSED = "sbatch: error: Batch job submission failed: "


@pytest.mark.parametrize(
    ("said", "key"),
    [
        (REFUSED + "Invalid partition name specified", "partition"),
        (REFUSED + "Invalid generic resource (gres) specification", "gpus_per_worker = 0"),
        (REFUSED + "Invalid account or account/partition combination specified", "account"),
        (REFUSED + "Invalid qos specification", "qos"),
        (REFUSED + "Invalid feature specification", "constraint"),
        (REFUSED + "Requested reservation is invalid", "reservation"),
        (REFUSED + "Requested time limit is invalid (missing or exceeds some limit)", "time"),
        (REFUSED + "Requested node configuration is not available", "mem"),
    ],
)
def test_the_key_that_is_wrong_is_named_with_the_file(said, key):
    assert f"`{key}`" in cure_of(said, FILE)
    assert str(FILE) in cure_of(said, FILE)


def test_of_other_refusals_the_file_is_named():
    assert cure_of(REFUSED + "Access/permission denied", FILE) == f"look at `[slurm]` in {FILE}"


def test_a_host_outside_of_the_cluster_is_no_fault_of_the_file():
    assert cure_of("sbatch: fatal: Could not establish a configuration source", FILE).startswith("is this a host")


@pytest.fixture
def doctor(tmp_path, monkeypatch):
    """What it finds where `sinfo` is a script."""

    def find(body, **options):
        for name, lines in {"sinfo": body, "sbatch": ""}.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{lines}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        settings = MachineFile(backend="slurm", slurm=SlurmOptions(workers=2, **options), path=FILE)
        return list(backend_findings(settings, lambda _: True))

    return find


def test_doctor_finds_a_cluster_that_cannot_be_reached(doctor):
    (found,) = doctor("echo 'sinfo: fatal: Could not establish a configuration source' >&2; exit 1")
    assert found.level is Level.ERROR
    assert "the cluster cannot be reached: sinfo: " in found.message
    assert "is this a host of the cluster" in found.cure


def test_doctor_names_the_partitions_that_there_are(doctor):
    (found,) = doctor("echo cpu; echo gpu; echo gpu", partition="gpus")
    assert found.level is Level.ERROR
    assert "there is no partition gpus, but cpu, gpu" in found.message and str(FILE) in found.cure


@pytest.mark.parametrize("partition", [None, "gpu", "cpu,gpu"])
def test_and_nothing_where_they_are_those(doctor, partition):
    (found,) = doctor("echo cpu; echo gpu", partition=partition)
    assert found.level is Level.OK
