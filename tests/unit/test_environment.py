"""What a machine lacks is found from its packages, its driver and its programs, and comes with a cure to paste."""

from __future__ import annotations

import stat
import sys

import pytest

from standin_batch import environment
from standin_batch.environment import Level, all_findings, quick_findings
from standin_batch.environment.disk import disk_finding, existing, writable_finding
from standin_batch.environment.gpu import Driver, Gpu, ask_driver, judge
from standin_batch.environment.memory import available_bytes
from standin_batch.environment.onnx_runtime import cudnn_version
from standin_batch.environment.packages import library_findings, requirements
from standin_batch.environment.programs import ffmpeg_finding
from standin_batch.environment.torch_build import Build

H200 = Gpu("NVIDIA H200", 143771 << 20, "580.82.07", (9, 0))
NEW = Driver((H200,), (13, 0))


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Pretend that just these packages are installed: metadata in a folder of its own, read by the real importlib."""

    def install(requires="Requires-Dist: torch==2.15.0\n", **versions):
        for name, version in versions.items():
            folder = tmp_path / f"{name}-{version}.dist-info"
            folder.mkdir()
            head = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
            (folder / "METADATA").write_text(head + (requires if name in ("torchvision", "standin_batch") else ""))
        monkeypatch.setattr(sys, "path", [str(tmp_path)])

    return install


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Puts a program of this name and script before all others."""

    def write(name, script):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
        return path

    return write


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


@pytest.mark.parametrize("asks", ["torch==2.15.0", "torch (>=2.14.0)", "torch"])
def test_a_local_build_tag_does_not_count(packages, asks):
    packages(torch="2.15.0+cpu", torchvision="0.29.2", requires=f"Requires-Dist: {asks}\n")
    assert quick_findings() == []


def test_a_torchvision_that_is_too_new_for_torch(packages):
    packages(torch="2.13.0", torchvision="0.29.2", requires="Requires-Dist: torch (>=2.14.0)\n")
    (found,) = quick_findings()
    assert 'install --upgrade "torch>=2.14.0"' in found.cure


def test_libraries_are_compared_with_what_this_project_asks_for(packages):
    asks = "Requires-Dist: diffsynth<2.2,>=2.1\nRequires-Dist: numpy>=1.26\nRequires-Dist: torch>=2.6\n"
    packages(standin_batch="1.0", diffsynth="2.3.0", insightface="2.1", numpy="2.0", requires=asks)
    found = {finding.subject: finding for finding in library_findings()}
    assert found["diffsynth"].level is Level.ERROR
    assert 'install "diffsynth<2.2,>=2.1"' in found["diffsynth"].cure
    assert found["insightface"].level is Level.OK
    assert found["facexlib"].message == "not installed"
    assert found.keys().isdisjoint({"numpy", "torch"}), "what is well, or looked at elsewhere, is no news"


def test_requirements_of_an_extra_are_its_own(packages):
    asks = 'Requires-Dist: numpy\nRequires-Dist: nvidia-cudnn-cu13~=9.0; extra == "cudnn"\n'
    packages(standin_batch="1.0", requires=asks)
    assert set(requirements("standin-batch")) == {"numpy"}
    assert set(requirements("standin-batch", "cudnn")) == {"nvidia-cudnn-cu13"}


@pytest.mark.parametrize(
    ("archs", "capability", "runs"),
    [
        (("sm_80", "sm_90"), (9, 0), True),
        (("sm_80",), (8, 9), True),
        (("sm_86",), (8, 0), False),
        (("sm_80", "sm_90"), (12, 0), False),
        (("sm_90", "compute_90"), (12, 0), True),
        (("sm_90a",), (9, 0), True),
        (("sm_100", "sm_120"), (12, 0), True),
        (("sm_70",), (6, 1), False),
    ],
)
def test_code_for_one_gpu_runs_on_newer_minor_versions_and_intermediate_code_on_all(archs, capability, runs):
    assert Build("2.15.0", "13.0", archs).runs_on(capability) is runs


def bad(driver, build):
    return [finding for finding in judge(driver, build) if finding.level is Level.ERROR]


@pytest.mark.parametrize("cuda", ["13.0", "13.2", "12.8"])
def test_a_driver_runs_its_own_and_older_cudas_and_all_minor_versions(cuda):
    assert bad(NEW, Build("2.15.0", cuda, ("sm_90",))) == []


def test_a_driver_that_is_too_old_for_torch_says_which_one_is_needed():
    (found,) = bad(Driver((H200,), (12, 4)), Build("2.15.0", "13.2", ("sm_90",)))
    assert "driver 580 or newer" in found.message
    assert found.cure.startswith("sudo ")


def test_a_torch_without_cuda_beside_a_gpu():
    (found,) = bad(NEW, Build("2.15.0+cpu", None))
    assert "install --force-reinstall torch torchvision" in found.cure


def test_a_gpu_that_torch_has_no_code_for():
    old = Gpu("Tesla P40", 24576 << 20, "580.82.07", (6, 1))
    (found,) = bad(Driver((H200, old), (13, 0)), Build("2.15.0", "13.0", ("sm_75", "sm_90")))
    assert "cuda:1 Tesla P40" in found.message
    assert "6.1" in found.message


def test_the_driver_is_asked_through_nvidia_smi(program):
    program(
        "nvidia-smi",
        'case "$*" in\n*query-gpu*) echo "NVIDIA H200, 143771, 580.82.07, 9.0" ;;\n'
        '*) echo "| NVIDIA-SMI 580.82.07   Driver Version: 580.82.07   CUDA Version: 13.0 |" ;;\nesac',
    )
    assert ask_driver() == NEW


def test_a_driver_that_does_not_answer_is_quoted(program):
    said = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
    program("nvidia-smi", f'echo "{said}"; exit 9')
    (found,) = bad(ask_driver(), Build("2.15.0", "13.0", ("sm_90",)))
    assert found.message == said
    assert found.cure.startswith("sudo modprobe nvidia")


def test_a_machine_without_driver_has_none(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask_driver() is None


@pytest.mark.parametrize(("number", "version"), [(92600, "9.26.0"), (91002, "9.10.2"), (8907, "8.9.7")])
def test_cudnn_counts_its_versions_in_two_ways(number, version):
    assert cudnn_version(number) == version


@pytest.mark.parametrize(
    ("script", "said"), [("exit 1", "does not work"), ("echo ' V..... mpeg4  MPEG-4'", "cannot write H.264")]
)
def test_an_ffmpeg_that_does_not_do(program, monkeypatch, script, said):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program("ffmpeg", script)))
    (found,) = ffmpeg_finding()
    assert found.level is Level.ERROR
    assert said in found.message
    assert found.cure == "unset IMAGEIO_FFMPEG_EXE"


def test_the_ffmpeg_that_comes_along_writes_h264(monkeypatch):
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE", raising=False)
    (found,) = ffmpeg_finding()
    assert found.level is Level.OK
    assert "libx264" in found.message


def test_room_is_told_where_a_folder_would_be_made(tmp_path):
    place = tmp_path / "not" / "there"
    assert existing(place) == tmp_path
    (well,) = disk_finding("disk", place, 1, "a byte")
    (full,) = disk_finding("disk", place, 1e21, "a zettabyte")
    assert (well.level, full.level) == (Level.OK, Level.ERROR)
    assert full.cure.startswith(f"df -h {tmp_path}")


def test_a_file_in_the_place_of_a_folder_cannot_be_written_to(tmp_path):
    (tmp_path / "outputs").write_text("")
    (found,) = writable_finding("output", tmp_path / "outputs" / "first")
    assert found.level is Level.ERROR
    assert list(writable_finding("output", tmp_path / "elsewhere")) == []


def test_every_finding_that_is_not_well_has_a_cure_or_says_what_it_means():
    findings = all_findings()
    assert {"python", "torch", "onnxruntime", "diffsynth", "ffmpeg", "disk"} <= {found.subject for found in findings}
    assert all(found.cure for found in findings if found.level is Level.ERROR)
    assert environment.REINSTALL_ORT.startswith(sys.executable)


def test_the_memory_to_spare_is_what_linux_says(tmp_path):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:       24612345 kB\nMemFree:          123 kB\nMemAvailable:   23456789 kB\n")
    assert available_bytes(meminfo) == 23456789 * 1024


def test_where_nobody_says_how_much_memory_there_is_it_is_not_known(tmp_path):
    assert available_bytes(tmp_path / "nothing") is None
    (tmp_path / "old").write_text("MemFree: 123 kB\n")
    assert available_bytes(tmp_path / "old") is None
