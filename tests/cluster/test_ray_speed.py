"""Two workers do in little more than half the time what one does: both measured in one run, without their start-up."""

from __future__ import annotations

import pytest
from driven import Driven, write_manifest

pytestmark = [pytest.mark.cluster, pytest.mark.timing]

JOBS = 64

AT_MOST = 0.6


@pytest.fixture
def workspace(tmp_path):
    jobs = [{"name": "clip", "mode": "t2v", "prompt": "rain", "matrix": {"seed": f"1..{JOBS}"}}]
    sizes = {"model": "tiny", "width": 96, "height": 96, "num_frames": 9, "num_inference_steps": 60}
    write_manifest(
        tmp_path / "manifest.yaml", jobs=jobs, defaults=sizes, scores={"enabled": False}, run={"checkpoint_every": 60}
    )
    return tmp_path


def seconds_a_clip(workspace, workers):
    """From when all workers are at work until the last clip is there, for each clip that comes in that time."""
    config = f'backend = "ray"\n[ray]\nworkers = {workers}\ngpus_per_worker = 0\ncpus_per_worker = 1\n'
    (workspace / "standin.toml").write_text(config)
    folder = f"output.folder=with-{workers}"
    run = Driven(workspace, "manifest.yaml", "--device", "cpu", "--set", folder)
    assert run.code() == 0, run.stderr.read_text()
    first = {event["worker"]: event["time"] for event in reversed(run.named("JobStarted"))}
    assert len(first) == workers
    begun = max(first.values())
    ended = [event["time"] for event in run.named("JobCompleted") if event["time"] > begun]
    return (max(ended) - begun) / len(ended)


def test_two_workers_with_one_thread_each_take_at_most_six_tenths_of_one(workspace):
    one, two = seconds_a_clip(workspace, 1), seconds_a_clip(workspace, 2)
    print(f"one worker {one:.3f} s a clip, two {two:.3f} s: {two / one:.3f}")
    assert two / one <= AT_MOST
