"""`standin plan --json` and its description are kept equal."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from standin_batch.cli.plan import on_device
from standin_batch.cli.plan_drawn import drawn
from standin_batch.cli.plan_json import plan_json
from standin_batch.plan.estimate import CPU, Device
from standin_batch.run.measured import Measured
from standin_batch.run.plan_manifest import Selection, plan_manifest

DOCUMENT = Path(__file__).parents[3] / "docs" / "plan.md"


@pytest.fixture
def printed(tmp_path, monkeypatch, tmp_path_factory):
    """By a machine that has measured nothing yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STANDIN_CACHE", str(tmp_path_factory.mktemp("cache")))
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text("version: 1\njobs: [{name: tree, mode: t2v, prompt: {text: A tree.}}]\n")
    return plan_json(plan_manifest(manifest, Selection()), workers=2)


def keys(value):
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from keys(item)
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from keys(item)


def test_every_key_is_described_and_every_described_key_is_there(printed):
    described = re.findall(r"^\| `(\w+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(described) == set(keys(printed))


def test_workers_are_told_where_they_are_asked_for(printed, tmp_path):
    assert printed["workers"]["number"] == 2
    assert [shard["jobs"] for shard in printed["workers"]["shards"]] == [1], "one job is not parted"
    assert plan_json(plan_manifest(tmp_path / "manifest.yaml", Selection()))["workers"] is None


def test_what_workers_take_is_shown_where_it_is_asked_for(printed, tmp_path):
    planned = plan_manifest(tmp_path / "manifest.yaml", Selection())
    shown, asked = Console(record=True, file=StringIO(), width=110), Console(record=True, file=StringIO(), width=110)
    for part in drawn(planned):
        shown.print(part)
    for part in drawn(planned, workers=2):
        asked.print(part)
    assert "workers" not in shown.export_text()
    assert "2 workers: time unknown; 1 of them would not make it faster" in asked.export_text()


def test_workers_of_a_login_node_are_planned_by_the_gpu_that_was_measured_last(tmp_path, monkeypatch):
    monkeypatch.setenv("STANDIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    Measured.default().add_load("NVIDIA L40", ("tiny", "float32"), 3.0)
    path = tmp_path / "manifest.yaml"
    path.write_text("version: 1\njobs: [{name: tree, mode: t2v, prompt: {text: A tree.}}]\n")
    planned = plan_manifest(path, Selection())
    assert on_device(planned, gpu=None, workers=None).device == CPU
    assert on_device(planned, gpu=None, workers=2).device == Device("NVIDIA L40")
    assert on_device(planned, gpu=24, workers=2).device == Device.imagined(24)


def test_planning_creates_nothing(printed, tmp_path):
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.yaml"]
    assert printed["jobs"][0]["reason"] == "new"


def test_a_plan_for_another_gpu_has_its_profile_and_no_time(printed, tmp_path):
    path = tmp_path / "large.yaml"
    path.write_text("version: 1\nmodel: wan2.2-t2v-a14b\njobs: [{name: tree, mode: t2v, prompt: {text: A tree.}}]\n")
    planned = plan_manifest(path, Selection())
    small, large = (plan_json(planned.on(Device.imagined(size)))["estimate"] for size in (24, 141))
    assert (small["profile"], large["profile"]) == ("lowest", "resident")
    assert small["device"] == {"name": "a GPU of 24 GB", "memory_bytes": 24 << 30}
    assert small["seconds"] is None


def test_a_job_says_what_it_gives_up_for_speed(printed, tmp_path):
    assert printed["jobs"][0]["speed"] == "exact"
    path = tmp_path / "quick.yaml"
    path.write_text("version: 1\njobs: [{name: tree, mode: t2v, prompt: {text: A tree.}, speed: {cache: 0.2}}]\n")
    found = plan_json(plan_manifest(path, Selection()))
    assert found["jobs"][0]["speed"] == "teacache 0.2"
    assert found["groups"][0]["speeds"] == ("teacache 0.2",)
