"""Jobs that ask something of their scores: made again with other seeds, until a clip is accepted or none is left.

The tiny model's clips are noise; how sharp and how restless it is differs from seed to seed.
"""

from __future__ import annotations

import json
import random
import shutil

import pytest

LIMITS = {"num_inference_steps": 2, "num_frames": 5, "width": 64, "height": 64, "fps": 8}


@pytest.fixture(scope="module")
def workspace(make_workspace):
    return make_workspace("accept")


@pytest.fixture(scope="module")
def sharpness(workspace):
    """How sharp the first clip of each of six seeds is."""
    ran = workspace.standin("run", manifest(workspace, "looks"))
    assert ran.returncode == 0, ran.stderr
    return {record["seed"]: record["scores"]["sharpness"] for record in workspace.records("looks")}


def manifest(workspace, name, **accept):
    job = {"name": "clips", "mode": "t2v", "prompt": "A man.", "matrix": {"seed": "0..5"}}
    content = {
        "model": "tiny",
        "scores": {},
        "defaults": LIMITS,
        "run": {"checkpoint_every": 1},
        "output": {"keep_latents": True},
    }
    return workspace.manifest(name, {**content, "jobs": [{**job, **({"accept": accept} if accept else {})}]})


def choosy(sharpness):
    """A condition that half of the clips meet."""
    values = sorted(sharpness.values())
    return f">= {(values[2] + values[3]) / 2:.2f}"


def events(ran, *kinds):
    found = (json.loads(line) for line in ran.stdout.splitlines())
    return [event for event in found if event["event"] in kinds]


def accepted(workspace, name):
    return {record["job_id"] for record in workspace.records(name) if record["accepted"]}


@pytest.fixture(scope="module")
def whole(workspace, sharpness):
    """A run that nothing happens to."""
    path = manifest(workspace, "whole", sharpness=choosy(sharpness), max_reseeds=4)
    return path, workspace.standin("run", path, "--json")


def test_clips_that_miss_it_are_made_again_with_another_seed(workspace, whole, sharpness):
    _, ran = whole
    records = workspace.records("whole")
    by_job = {}
    for record in records:
        by_job.setdefault(record["attempt_of"], []).append(record)
    assert len(by_job) == 6
    for made in by_job.values():
        made.sort(key=lambda record: record["attempt"])
        assert [record["attempt"] for record in made] == list(range(1, len(made) + 1))
        assert not any(record["accepted"] for record in made[:-1])
        assert made[-1]["accepted"] == (made[-1]["scores"]["sharpness"] >= float(choosy(sharpness)[3:]))
    assert len({record["seed"] for record in records}) == len(records)
    (finished,) = events(ran, "RunFinished")
    assert finished["completed"] == len(records)
    assert finished["rejected"] == sum(not record["accepted"] for record in records) >= 3
    assert len(events(ran, "JobReseeded")) == len(records) - 6


def test_a_second_run_has_nothing_to_do_and_status_counts_jobs_not_attempts(workspace, whole):
    path, ran = whole
    again = workspace.standin("run", path)
    assert (again.returncode, "nothing to do" in again.stderr) == (ran.returncode, True)
    counts = json.loads(workspace.standin("status", path, "--json").stdout)["counts"]
    assert counts["COMPLETED"] + counts["FAILED"] == 6
    assert counts["COMPLETED"] == len(accepted(workspace, "whole"))


def test_killed_again_and_again_it_accepts_the_same_clips(workspace, whole, sharpness):
    drawn, kills = random.Random(7), 0
    path = manifest(workspace, "killed", sharpness=choosy(sharpness), max_reseeds=4)
    moments = workspace.folder / "moments"
    while kills < 5:
        at = drawn.randint(5, 60)
        ran = workspace.standin("run", path, faults={"kind": "kill", "at": at, "moments": str(moments)})
        kills += 1
        if ran.returncode != -9:
            break
    assert kills > 2
    ran = workspace.standin("run", path)
    assert ran.returncode == whole[1].returncode, ran.stderr
    assert accepted(workspace, "killed") == accepted(workspace, "whole")
    mine, theirs = ({record["job_id"]: record for record in workspace.records(name)} for name in ("killed", "whole"))
    for job_id, record in theirs.items():
        same = ("video_sha256", "scores", "accepted", "attempt", "attempt_of", "seed")
        assert {key: mine[job_id][key] for key in same} == {key: record[key] for key in same}
    assert mine.keys() == theirs.keys()


def test_asking_for_less_later_makes_nothing_and_decides_anew(workspace, whole):
    shutil.copytree(workspace.folder / "outputs" / "whole", workspace.folder / "outputs" / "less")
    path = manifest(workspace, "less", sharpness=">= 0")
    ran = workspace.standin("run", path)
    assert (ran.returncode, "nothing to do" in ran.stderr) == (0, True)
    assert accepted(workspace, "less") == {record["attempt_of"] for record in workspace.records("less")}
    rows = [
        json.loads(line) for line in (workspace.folder / "outputs" / "less" / "index.jsonl").read_text().splitlines()
    ]
    assert {row["job_id"] for row in rows if row["accepted"]} == accepted(workspace, "less")


def test_a_job_without_an_accepted_clip_has_failed_and_the_cure_is_named(workspace):
    path = manifest(workspace, "never", sharpness=">= 1000000", max_reseeds=0, rejected="drop")
    ran = workspace.standin("run", path, "--set", "jobs.clips.seed=[0, 1]")
    assert ran.returncode == 1
    assert "its clip was not accepted: sharpness" in ran.stderr
    assert "accept.max_reseeds" in ran.stderr
    assert not list((workspace.folder / "outputs" / "never" / "videos").rglob("*.mp4"))
    again = workspace.standin("run", path, "--set", "jobs.clips.seed=[0, 1]")
    assert (again.returncode, "nothing to do" in again.stderr) == (1, True)
    counts = json.loads(workspace.standin("status", "outputs/never", "--json").stdout)["counts"]
    assert (counts["COMPLETED"], counts["FAILED"]) == (0, 2)


def test_the_best_of_several_is_taken(workspace):
    path = manifest(workspace, "best", motion=">= 0", best_of=3)
    ran = workspace.standin("run", path, "--set", "jobs.clips.seed=[0]")
    assert ran.returncode == 0, ran.stderr
    records = workspace.records("best")
    assert len(records) == 3
    (taken,) = accepted(workspace, "best")
    assert taken == max(records, key=lambda record: record["scores"]["motion"])["job_id"]


def test_the_plan_counts_what_may_follow(workspace, whole, sharpness):
    path = manifest(workspace, "planned", sharpness=choosy(sharpness), max_reseeds=4)
    estimate = json.loads(workspace.standin("plan", path, "--json").stdout)["estimate"]
    assert (estimate["jobs"], estimate["further"], estimate["expected"]) == (6, 24, None)
    shutil.copytree(workspace.folder / "outputs" / "whole", workspace.folder / "outputs" / "planned")
    path = manifest(workspace, "planned", sharpness=">= 1000000", max_reseeds=9)
    estimate = json.loads(workspace.standin("plan", path, "--json").stdout)["estimate"]
    assert estimate["expected"] == estimate["further"]


def test_scores_come_back_from_the_videos_alone(workspace, whole):
    shutil.copytree(workspace.folder / "outputs" / "whole", workspace.folder / "outputs" / "blank")
    folder = workspace.folder / "outputs" / "blank"
    before = workspace.records("blank")
    for record in before:
        (folder / "records" / f"{record['job_id']}.json").write_text(
            json.dumps({**record, "scores": {}, "accepted": None})
        )
    ran = workspace.standin("dataset", "score", folder, "--json")
    told = json.loads(ran.stdout)
    assert (told["scored"], told["failed"], told["left"]) == (len(before), 0, 0)
    assert told["accepted"] == len(accepted(workspace, "whole"))
    assert workspace.records("blank") == before
