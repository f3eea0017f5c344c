"""The first five minutes: one command makes videos, the same command again has nothing to do."""

from __future__ import annotations

import json

import pytest

from standin_batch.output.video import read_metadata


@pytest.fixture
def folder(quickstart):
    return quickstart[0].folder / "outputs" / "quickstart"


def test_it_ends_well(quickstart):
    _, ran = quickstart
    assert ran.returncode == 0, ran.stderr
    assert "8 videos made" in ran.stderr
    assert ran.stdout == "", "messages go to standard error, and what libraries print goes to the log"


def test_every_combination_has_a_video_and_a_record(quickstart, folder):
    records = quickstart[0].records("quickstart")
    combinations = {(record["identity"], record["prompt_name"], record["seed"]) for record in records}
    assert combinations == {
        (who, what, seed) for who in ("astronaut", "cat") for what in ("desk", "wave") for seed in (0, 1)
    }
    assert all((folder / record["video"]).stat().st_size == record["video_bytes"] > 1000 for record in records)


def test_the_index_has_a_row_for_each_record(quickstart, folder):
    rows = [json.loads(line) for line in (folder / "index.jsonl").read_text().splitlines()]
    assert rows == quickstart[0].records("quickstart")


def test_each_video_carries_its_job(quickstart, folder):
    record = quickstart[0].records("quickstart")[0]
    metadata = read_metadata(folder / record["video"])
    assert metadata["job_id"] == record["job_id"]
    assert metadata["prompt"] == record["prompt"]


def test_what_libraries_print_is_in_the_log(folder):
    assert "DiffSynth-Studio" in (folder / ".standin" / "log.jsonl").read_text()


def test_again_there_is_nothing_to_do(quickstart, manifests):
    ran = quickstart[0].standin("run", manifests / "quickstart.yaml")
    assert ran.returncode == 0
    assert "nothing to do: 8 videos made before" in ran.stderr


def test_status_counts_what_is_done(quickstart, manifests):
    for target in (manifests / "quickstart.yaml", "outputs/quickstart"):
        found = json.loads(quickstart[0].standin("status", target, "--json").stdout)
        assert found["counts"] == {
            "COMPLETED": 8,
            "RUNNING": 0,
            "REQUEUED": 0,
            "PENDING": 0,
            "FAILED": 0,
            "CANCELLED": 0,
        }


def test_force_plans_what_is_done(quickstart, manifests):
    planned = json.loads(quickstart[0].standin("plan", manifests / "quickstart.yaml", "--force", "--json").stdout)
    assert [job["reason"] for job in planned["jobs"]] == ["forced"] * 8


@pytest.mark.parametrize("setting", ["defaults.num_inference_steps=5", "jobs.portraits.seed=[0,7]"])
def test_a_change_plans_just_the_videos_that_it_decides(quickstart, manifests, setting):
    planned = json.loads(
        quickstart[0].standin("plan", manifests / "quickstart.yaml", "--set", setting, "--json").stdout
    )
    assert len(planned["jobs"]) == (8 if "steps" in setting else 4)
    assert {job["reason"] for job in planned["jobs"]} == ({"changed"} if "steps" in setting else {"new"})
