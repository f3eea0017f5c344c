"""What a machine lacks is found from the list of installed packages, and comes with a cure that can be pasted."""

from __future__ import annotations

import sys

import pytest

from standin_batch import environment
from standin_batch.environment import Level, all_findings, quick_findings


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Pretend that just these packages are installed: metadata in a folder of its own, read by the real importlib."""

    def install(**versions):
        for name, version in versions.items():
            folder = tmp_path / f"{name}-{version}.dist-info"
            folder.mkdir()
            requires = "Requires-Dist: torch==2.15.0\n" if name == "torchvision" else ""
            head = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
            (folder / "METADATA").write_text(head + requires)
        monkeypatch.setattr(sys, "path", [str(tmp_path)])

    return install


def test_all_is_well_after_this_projects_own_install():
    assert quick_findings() == []


def test_two_onnxruntimes_overwrite_each_other(packages):
    packages(onnxruntime="1.31.1", onnxruntime_gpu="1.31.1")
    (found,) = quick_findings()
    assert found.level is Level.WARNING
    assert "pip uninstall -y onnxruntime &&" in found.cure


@pytest.mark.parametrize("name", ["onnxruntime", "onnxruntime_gpu"])
def test_one_of_them_is_right(packages, name):
    packages(**{name: "1.31.1"})
    assert quick_findings() == []


def test_a_torchvision_of_another_build_is_named_with_the_torch_that_it_wants(packages):
    packages(torch="2.13.0", torchvision="0.29.2")
    (found,) = quick_findings()
    assert found.level is Level.ERROR
    assert "torch==2.15.0" in found.cure


def test_a_local_build_tag_does_not_count(packages):
    packages(torch="2.15.0+cpu", torchvision="0.29.2")
    assert quick_findings() == []


def test_every_finding_that_is_not_well_has_a_cure_or_says_what_it_means():
    findings = all_findings()
    assert {"python", "torch", "onnxruntime", "diffsynth", "ffmpeg", "disk"} <= {found.subject for found in findings}
    assert all(found.cure for found in findings if found.level is Level.ERROR)
    assert environment.REINSTALL_ORT.startswith(sys.executable)
