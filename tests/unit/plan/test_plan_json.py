"""`standin plan --json` and its description are kept equal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from standin_batch.cli.plan import plan_json
from standin_batch.run.plan_manifest import Selection, plan_manifest

DOCUMENT = Path(__file__).parents[3] / "docs" / "plan.md"


@pytest.fixture
def printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text("version: 1\njobs: [{name: tree, mode: t2v, prompt: {text: A tree.}}]\n")
    return plan_json(plan_manifest(manifest, Selection()))


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


def test_planning_creates_nothing(printed, tmp_path):
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.yaml"]
    assert printed["jobs"][0]["reason"] == "new"
