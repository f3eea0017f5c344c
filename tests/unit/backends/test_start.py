"""What is left when a run begins: by itself, and where it joins workers that are at work."""

from __future__ import annotations

import json

import pytest
import yaml
from records import write_records

from standin_batch.backends.slurm.array import jobs_of
from standin_batch.backends.start import joined, put_in_order, still_to_do
from standin_batch.run.plan_manifest import Selection, plan_manifest


@pytest.fixture
def planned(tmp_path, monkeypatch):
    """Three jobs that ask something of their scores; the first is made, and its record says something else of it."""
    monkeypatch.chdir(tmp_path)
    accept = {"sharpness": ">= 1"}
    job = {"name": "clip", "mode": "t2v", "prompt": {"text": "a tree"}, "matrix": {"seed": "0..2"}, "accept": accept}
    content = {"version": 1, "name": "trees", "output": {"folder": "out"}, "defaults": {"model": "tiny"}, "jobs": [job]}
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump(content))
    first = plan_manifest(path, Selection())
    job_id = jobs_of(first.plan)[0]
    record = {"job_id": job_id, "video": f"videos/{job_id}.mp4", "scores": {"sharpness": 5.0}, "accepted": False}
    write_records(first.store.layout, [record])
    return plan_manifest(path, Selection())


def is_accepted(planned):
    (path,) = planned.store.layout.records.glob("*.json")
    return json.loads(path.read_text())["accepted"]


def quiet(_):
    """Nobody is told."""


def test_a_run_alone_has_records_say_what_their_manifest_makes_of_them(planned):
    left, _ = still_to_do(planned, None, quiet)
    assert jobs_of(left) == jobs_of(planned.plan)
    assert is_accepted(planned) is True


def test_one_that_joins_workers_leaves_their_records_alone_until_they_have_ended(planned):
    mine = jobs_of(planned.plan)[:1]
    left, _ = joined(planned, mine)
    assert jobs_of(left) == mine
    assert is_accepted(planned) is False
    put_in_order(planned, None, quiet)
    assert is_accepted(planned) is True
