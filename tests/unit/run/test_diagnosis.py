"""What stands between a manifest and its videos on this machine, beside its weights."""

from __future__ import annotations

import json
import stat

import pytest
import yaml

from standin_batch.environment import Level
from standin_batch.run.diagnosis import diagnose


@pytest.fixture
def manifest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def make(model="wan2.2-t2v-a14b", **job):
        job = {"name": "one", "mode": "t2v", "prompt": {"text": "A tree."}, **job}
        path = tmp_path / "one.yaml"
        path.write_text(yaml.safe_dump({"version": 1, "name": "one", "model": model, "jobs": [job]}))
        return path

    return make


@pytest.fixture
def gpu(tmp_path, monkeypatch):
    """A driver that has one GPU of so many mebibytes."""

    def driver(mebibytes):
        path = tmp_path / "bin" / "nvidia-smi"
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\necho 'NVIDIA L40S, {mebibytes}'\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return driver


def about(found, subject):
    return [finding for finding in found if finding.subject == subject]


@pytest.mark.parametrize(
    ("mebibytes", "level", "said"),
    [
        (143771, Level.OK, "resident, expected peak "),
        (46068, Level.OK, "offload, expected peak "),
        (24564, Level.OK, "lowest, expected peak "),
        (8188, Level.ERROR, "does not fit into the 8.6 GB of NVIDIA L40S"),
    ],
)
def test_memory_is_compared_with_what_the_model_needs(manifest, gpu, mebibytes, level, said):
    gpu(mebibytes)
    (found,) = about(diagnose(manifest(), None), "memory")
    assert found.level is level
    assert said in found.message
    assert bool(found.cure) is (level is Level.ERROR)


def test_float32_that_does_not_fit_is_cured_by_bfloat16(manifest, gpu):
    gpu(24564)
    (found,) = about(diagnose(manifest(dtype="float32"), None), "memory")
    assert found.level is Level.ERROR
    assert "--set defaults.dtype=bfloat16" in found.cure


def record(folder, video_bytes):
    folder.mkdir(parents=True)
    fields = {"job_id": "a" * 16, "video": "videos/a.mp4", "width": 832, "height": 480, "num_frames": 81}
    (folder / f"{'a' * 16}.json").write_text(json.dumps({**fields, "video_bytes": video_bytes}))


def test_videos_are_as_large_as_those_that_are_here(manifest, tmp_path):
    path = manifest(matrix={"seed": "0..9"})
    record(tmp_path / "outputs" / "one" / "records", 5 * 10**9)
    (found,) = about(diagnose(path, None), "output")
    assert "every video of the manifest takes 50.0 GB" in found.message


def test_videos_that_the_disk_cannot_hold_are_an_error(manifest, tmp_path):
    record(tmp_path / "outputs" / "one" / "records", 10**15)
    (found,) = about(diagnose(manifest(), None), "output")
    assert found.level is Level.ERROR
    assert found.cure.startswith("df -h ")


def test_nothing_is_made(manifest, tmp_path):
    path = manifest(model="tiny")
    assert [finding.level for finding in about(diagnose(path, None), "weights")] == [Level.OK]
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_what_this_machine_can_do_of_speed_is_said_too(manifest):
    (finding,) = about(diagnose(manifest(model="tiny", speed={"cache": 0.1}), None), "speed")
    assert (finding.level, finding.message) == (Level.OK, "this machine can do what is asked for: teacache 0.1")
    assert not about(diagnose(manifest(model="tiny"), None), "speed")
