"""What programs read: JSON events, and a log that is no terminal."""

from __future__ import annotations

import json


def test_events_as_json_lines(workspace):
    manifest = workspace.manifest(
        "events",
        {
            "model": "tiny",
            "defaults": {"num_inference_steps": 2, "num_frames": 5, "width": 64, "height": 64},
            "jobs": [{"name": "plain", "mode": "t2v", "prompt": {"text": "A tree."}, "matrix": {"seed": "0..1"}}],
        },
    )
    ran = workspace.standin("run", manifest, "--json")
    assert ran.returncode == 0, ran.stderr
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    kinds = [event["event"] for event in events if event["event"] not in ("Preparing", "Prepared")]
    assert kinds[0] == "RunStarted"
    assert kinds[-1] == "RunFinished"
    assert kinds.count("JobStep") == 4
    assert kinds.count("JobCompleted") == 2
    assert events[-1]["completed"] == 2
    assert ran.stderr == ""


def test_quiet_says_nothing_when_all_is_well(workspace):
    manifest = workspace.manifest(
        "quiet",
        {
            "model": "tiny",
            "defaults": {"num_inference_steps": 1, "num_frames": 5, "width": 64, "height": 64},
            "jobs": [{"name": "plain", "mode": "t2v", "prompt": {"text": "A tree."}}],
        },
    )
    ran = workspace.standin("run", manifest, "--quiet")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
